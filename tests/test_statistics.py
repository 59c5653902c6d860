"""The packed tables of characters and pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cleaners import statistics
from cleaners.statistics import build

TEXT = "今天下午，几个学生在图书馆里讨论问题。\n他们都觉得这本书写得很好。\n"


def test_tables_are_small() -> None:
    folder = Path(statistics.__file__).parent
    assert sum(path.stat().st_size for path in folder.glob("*.bin")) < 3_000_000


def test_unigrams_are_a_distribution() -> None:
    table = statistics.unigrams()
    assert table.shape == (65536,)
    assert abs(float(np.exp(table).sum()) - 1) < 0.02
    assert table[ord("的")] > table[ord("羅")] > table[ord("龘")] > table[ord("뷁")]


def test_both_scripts_are_common() -> None:
    table = statistics.unigrams()
    for char in "国國时時书書":
        assert table[ord(char)] > -9


def test_pairs_are_sorted_and_unique() -> None:
    table = statistics.bigrams()
    assert len(table.keys) > 100_000
    assert bool(np.all(np.diff(table.keys.astype(np.int64)) > 0))


def test_successors_are_a_distribution() -> None:
    everything = np.arange(65536, dtype=np.uint32)
    for char in "中的國。":
        first = np.full(65536, ord(char), dtype=np.uint32)
        total = float(np.exp(statistics.bigram_logprobs(first, everything)).sum())
        assert 0.9 < total < 1.1


def test_words_score_better_than_shuffled_ones() -> None:
    assert statistics.bigram_logprob("中", "国") > statistics.bigram_logprob("国", "中") + 1
    straight = statistics.text_logprobs("我们在学校学习").mean()
    assert straight > statistics.text_logprobs("习学校学在们我").mean() + 1


def test_lines_end_after_full_stops() -> None:
    end = statistics.BOUNDARY
    assert statistics.bigram_logprob("。", end) > statistics.bigram_logprob("的", end) + 3


def test_characters_outside_the_plane_have_one_code() -> None:
    assert statistics.codes("a𠮷\ud800").tolist() == [0x61, statistics.OUTSIDE, 0xD800]
    assert np.isfinite(statistics.text_logprobs("𠮷野家")).all()
    assert statistics.text_logprobs("").shape == (0,)


def test_build_is_deterministic(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        source, out = tmp_path / name, tmp_path / f"{name}.out"
        source.mkdir()
        out.mkdir()
        (source / "text.txt").write_text(TEXT * 3, "utf-8")
        (tmp_path / "words").write_text("图书馆 30 n\n龘 2 n\n", "utf-8")
        build.main([str(source), "--words", str(tmp_path / "words"), "--out", str(out)])
        made.append([(path.name, path.read_bytes()) for path in sorted(out.iterdir())])
    assert made[0] == made[1]
    assert [name for name, _ in made[0]] == ["bigrams.bin", "signatures.txt", "unigrams.bin"]


def test_tagged_lines_are_read_without_their_tags(tmp_path: Path) -> None:
    path = tmp_path / "tagged.txt"
    path.write_text("中/b 国/e １/b ２/m 日/e \n好\n", "utf-8")
    assert list(build._chunks([path])) == ["\n中国12日\n好\n"]


def test_signatures_are_rare_but_common_in_misread_text() -> None:
    found = set(statistics.signatures())
    assert not found & set(TEXT)
    for written, read in build.MISREADINGS:
        text = TEXT if written != "big5hkscs" else "今天下午，幾個學生在圖書館裡討論問題。他們都覺得這本書寫得很好。"
        misread = text.encode(written).decode(read, "ignore")
        assert sum(c in found for c in misread) > 0.25 * len(misread), (written, read)


def test_reading_scores_know_lost_and_control_characters() -> None:
    table = statistics.reading_scores()
    assert table[ord("中")] == statistics.unigrams()[ord("中")]
    assert table[ord("a")] > table[ord("｜")] > table[0xFFFD] > table[1]
