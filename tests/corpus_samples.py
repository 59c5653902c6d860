"""Documents and runs for the tests of the corpus, made by hand so that no cleaner's rules matter here."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cleaners import Article, Document, Edit, Encoding, Flag, Paragraph, Pass, Quarantine, Seed, apply
from corpus.records import Reading
from corpus.seeds import Problem, read_all, scan
from corpus.store import Store, Version, are_staged, batches

FINGERPRINT = "f" * 64
START = datetime(2024, 2, 29, 8, 0, tzinfo=UTC)


def cleaned(raw: bytes, name: str) -> Document:
    """A stand-in for cleaning: bytes that are no UTF-8 go to quarantine, commas become full-width, a first
    line that begins with 来源 is lifted out, 🐍 moves to the end."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        quarantine = Quarantine("no_encoding", "no encoding explains its bytes: save it as UTF-8")
        return Document(Seed.of(raw, name), "", Encoding("utf-8", 0.0), quarantine=quarantine)
    trail: list[Pass] = []
    source = text.split("\n")[0].removeprefix("来源") if text.startswith("来源") else ""
    if source:
        lift = Edit(0, f"来源{source}", "", "metadata.source", field="source")
        trail.append(Pass("metadata", (lift,)))
        text = apply(text, trail[-1].edits)
    if "🐍" in text.rstrip("🐍"):
        place = text.index("🐍")
        moved = (
            Edit(place, "🐍", "", "layout.move", ref=len(text)),
            Edit(len(text), "", "🐍", "layout.move", ref=place),
        )
        trail.append(Pass("layout", moved))
        text = apply(text, moved)
    width = tuple(Edit(i, ",", "，", "punctuation.width") for i, c in enumerate(text) if c == ",")
    if width:
        trail.append(Pass("punctuation", width))
        text = apply(text, width)
    return Document(
        Seed.of(raw, name),
        text,
        Encoding("utf-8", 1.0),
        tuple(trail),
        paragraphs=(Paragraph(text, "body", 0, len(text)),) if text else (),
        metadata={"source": source} if source else {},
    )


def rich(name: str = "甲/乙.txt") -> Document:
    """A document in which nothing is empty."""
    text = "题目，\n\n正文。"
    return replace(
        cleaned("来源新华社\n题目,\n\n正文。".encode(), name),
        text="\n" + text,
        encoding=Encoding("utf-8", 0.75, b"\xef\xbb\xbf"),
        paragraphs=(Paragraph("题目，", "title", 1, 4), Paragraph("正文。", "body", 6, 9)),
        articles=(Article("题目，", "", ("张三", "李四"), 1, 9), Article("", "时评", (), 6, 9)),
        metadata={
            "title": "题目，",
            "authors": ["张三", "李四"],
            "source": "新华社",
            "published_at": "2019-11-03",
            "keywords": ["春耕"],
            "phone": "0471-1234567",
            "translators": ["王五", "赵六"],
        },
        flags=(Flag("orphan_fragment", 6, 9, "its beginning is lost"),),
        script="Hans",
    )


def random_trail(text: str, choose: random.Random) -> tuple[str, tuple[Pass, ...]]:
    """The text after some passes of random edits, among them moves, and the passes."""
    trail = []
    for number in range(choose.randrange(5)):
        edits, place = [], 0
        while place < len(text):
            start = place + choose.randrange(4)
            before = text[start : start + choose.randrange(3)]
            after = choose.choice(["", "甲", "乙丙", before])
            if not before and text and choose.random() < 0.5:
                ref = choose.randrange(len(text))
                edits.append(Edit(min(start, len(text)), "", text[ref : ref + 2], "test.move", ref=ref))
            elif before != after and start <= len(text):
                edits.append(Edit(start, before, after, "test.change"))
            place = start + len(before) + 1
        if edits:
            trail.append(Pass(f"cleaner{number}", tuple(edits)))
            text = apply(text, edits)
    return text, tuple(trail)


def write_seeds(root: Path, texts: dict[str, str | bytes]) -> None:
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


def build(
    root: Path,
    output: Path,
    fingerprint: str = FINGERPRINT,
    max_bytes: int = 1 << 20,
    clean: Callable[[bytes, str], Document] = cleaned,
    max_seed_bytes: int = 1 << 16,
) -> Version:
    """One run over a folder of seeds, as the flow does it."""
    store = Store(output)
    with store.writer_lock():
        reading = Reading(max_seed_bytes)
        plan = store.plan(scan(root, max_seed_bytes, None, reading, store.containers(fingerprint)), fingerprint)
        staging = store.staging(fingerprint)
        staged = staging.finished(plan)
        for batch in batches(plan.to_clean, max_bytes, done=are_staged(plan, staged)):
            documents, problems = [], []
            for one in read_all(root, batch, reading):
                if isinstance(one, Problem):
                    problems.append(one)
                else:
                    documents.append(replace(clean(one.raw, one.name), record=one.record))
            staged.append(staging.write(documents, problems))
        return store.commit(plan, staged, {"code": "0"}, START)
