"""Near-duplicate documents: what is one, what only looks like one, and that it does not matter how they came."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from corpus_samples import build as build_once
from corpus_samples import write_seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleaners import Config, clean, fingerprint
from corpus import clusters, reprints
from corpus import near_duplicates as nd
from corpus.clusters import Entry, Pair, Reprint
from corpus.schema import STORED
from corpus.store import Store, StoreError, Version
from corpus.upkeep import compact, rollback
from flows import cli
from flows.workers import apart

SEEDS = Path(__file__).parent.parent / "seeds"
DROPPING = "d" * 64
ARTICLE = (
    "入冬以来，北岭村的大棚里一片翠绿。村民王秀兰每天天不亮就来到棚里，先看温度，再查墒情，把卷帘机打开。"
    "她说，前几年种玉米，一亩地收入不到一千元，如今改种番茄，一个棚一年能挣三万多元。村里统一供苗、统一技术、统一销售，"
    "大家只管把菜种好。县农业技术推广站的技术员每周来两次，手把手教村民整枝打杈、防治病虫害。目前全村建起大棚一百二十六座，"
    "带动周边三个村的两百多户农民增收。村支书说，明年还要建一座冷库，让番茄卖得更远、卖得更好。"
)
OTHER = (
    "清晨六点，老街的早点铺已经热气腾腾。店主把和好的面团切成小块，擀开，放进油锅，不一会儿油条就浮了起来。"
    "老主顾们端着碗坐在门口的长凳上，聊着昨晚的球赛和今天的天气。这条街去年经过改造，电线埋入了地下，路面铺上了青石，"
    "可铺子还是原来的铺子，味道也还是原来的味道。店主的儿子从城里回来帮忙，在网上开了店，把自家做的豆瓣酱卖到了外省。"
)
NOTICE = (
    "停水通知。因供水管道检修，定于{month}月{day}日{hour}时起对{place}小区停水，预计停水{hours}小时，请各位居民提前储水，"
    "并关好家中水龙头，以免恢复供水时发生跑水。由此带来的不便敬请谅解，咨询电话{phone}。"
)


def notice(month: int, day: int, hour: int, place: str, hours: int, phone: str) -> str:
    return NOTICE.format(month=month, day=day, hour=hour, place=place, hours=hours, phone=phone)


def judged(texts: dict[str, str], dates: dict[str, str] | None = None) -> dict[str, Reprint]:
    """The clusters of these texts, kept documents among them."""
    return {one.id: one for one in clustered(texts, dates, {})[0].reprints}


def clustered(
    texts: dict[str, str], dates: dict[str, str] | None, known: dict[Pair, float]
) -> tuple[clusters.Clusters, list[Pair]]:
    """The clusters, and the pairs that had to be compared."""
    signed = dict(zip(texts, nd.signatures(texts.values()), strict=True))
    entries = [Entry(id, (dates or {}).get(id), of) for id, of in signed.items() if of]
    by_content = {of.content: texts[id] for id, of in signed.items() if of}
    asked: list[Pair] = []

    def compare(pairs: list[Pair]) -> list[float]:
        asked.extend(pairs)
        return [nd.similarity(*(nd.letters(by_content[content]) for content in pair)) for pair in pairs]

    return clusters.clusters(entries, known, compare), asked  # type: ignore[arg-type]


def damaged(text: str, share: float, seed: int) -> str:
    choose = random.Random(seed)
    return "".join(choose.choice(("口", c + c, "")) if choose.random() < share else c for c in text)


def test_a_signature_is_always_the_same() -> None:
    """If this fails, signatures are made in another way: those in corpora are of no use, SCHEMA_VERSION must go up."""
    (signature,) = nd.signatures([ARTICLE])
    assert signature is not None
    assert (signature.letters, signature.content.hex()) == (187, "a41acc974b80614ef893f9552ad1b362")
    assert signature.bands[:8].hex() == "b66741bb7a20a16c"
    assert len(signature.bands) == 4 * nd.BANDS


def test_space_and_punctuation_do_not_count() -> None:
    spaced = "\n\n".join(ARTICLE.replace("，", ", ").replace("。", " . ").split("、"))
    assert nd.signatures([ARTICLE]) == nd.signatures([spaced])
    assert nd.letters("他说：“好 A1。”\n🐍𠀀") == "他说好A1𠀀"


def test_letters_are_what_unicode_says() -> None:
    first_plane = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    assert nd.letters(first_plane) == "".join(filter(str.isalnum, first_plane))


def test_signatures_do_not_depend_on_what_is_signed_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [ARTICLE, "短", OTHER, "", ARTICLE[:60], "🐍𠀀龙" * 20 + ARTICLE, "…", OTHER[:80]]
    alone = [nd.signatures([text])[0] for text in texts]
    assert nd.signatures(texts) == alone
    for size in (10, 70, 500):
        monkeypatch.setattr(nd, "CHUNK", size)
        assert nd.signatures(texts) == alone
    assert [one is None for one in alone] == [False, True, False, True, False, False, True, False]
    sizes = [len(nd.letters(text)) for text in texts]
    assert [one.letters for one in alone if one] == [size for size in sizes if size >= nd.FEWEST_LETTERS]
    assert nd.signatures([]) == []


REPRINTED = {
    "the same": ARTICLE,
    "other punctuation": ARTICLE.replace("，", ",").replace("。", "．"),
    "damaged": damaged(ARTICLE, 0.04, 1),
    "cut": ARTICLE[: len(ARTICLE) * 2 // 3],
    "a head and a foot": f"本报北岭1月8日电 记者张明\n{ARTICLE}\n责任编辑：李丽",
    "continued": ARTICLE + OTHER[:80],
    "a word replaced": ARTICLE.replace("一片翠绿", "绿意盎然"),
}


@pytest.mark.parametrize("kind", REPRINTED)
def test_reprints(kind: str) -> None:
    found = judged({"a": ARTICLE, "b": REPRINTED[kind], "other": OTHER})
    assert found.keys() == {"a", "b"}
    assert found["a"].cluster == found["b"].cluster
    kept = found["a"].kept
    assert found[kept].similarity == 1.0
    assert all(nd.LEAST_LENGTH / 1.5 < one.similarity <= 1 for one in found.values())


LOOK_ALIKES = {
    "another day": (notice(3, 5, 9, "清水", 6, "5550101"), notice(3, 6, 9, "清水", 6, "5550101")),
    "another place": (notice(3, 5, 9, "青松花园", 6, "5550101"), notice(3, 5, 9, "白沙新城", 6, "5550101")),
    "all other": (notice(3, 5, 9, "清水", 6, "5550101"), notice(11, 26, 14, "东河", 4, "5550199")),
    "another sum": (ARTICLE, ARTICLE.replace("三万", "八万").replace("一百二十六", "一百三十九")),
    "the same beginning": (ARTICLE[:90] + OTHER, ARTICLE),
    "other": (ARTICLE, OTHER),
}


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_look_alikes(kind: str) -> None:
    one, other = LOOK_ALIKES[kind]
    assert judged({"a": one, "b": other}) == {}
    assert judged({"a": other, "b": one}) == {}


def test_short_texts_are_no_reprints() -> None:
    assert judged({"a": "图片新闻，内容正在更新。", "b": "图片新闻，内容正在更新。"}) == {}


def test_a_damaged_notice_is_a_reprint_all_the_same() -> None:
    text = notice(3, 5, 9, "清水", 6, "5550101")
    assert judged({"a": text, "b": text.replace("以免", "以兔").replace("请各位", "请各住")}).keys() == {"a", "b"}


def test_the_kept_document() -> None:
    """The most letters, then the earliest date, then the smallest id; a chain does not tie what is not alike."""
    texts = {"a": ARTICLE[:-30], "b": ARTICLE, "c": ARTICLE, "d": ARTICLE}
    assert {one.kept for one in judged(texts).values()} == {"b"}
    assert {one.kept for one in judged(texts, {"d": "2020-01-02", "c": "2020-01-02T08:00"}).values()} == {"d"}
    half = len(ARTICLE) // 2
    chain = {"whole": ARTICLE + OTHER, "left": ARTICLE, "first": ARTICLE[: half + 40]}
    found = judged(chain)
    assert found["left"].kept == "whole"
    assert "first" not in found or found["first"].kept != "left"


def test_long_texts_are_compared_by_shingles() -> None:
    choose = random.Random(3)
    long = "".join(chr(choose.randrange(0x4E00, 0x9000)) for _ in range(nd.LONGEST_COMPARED + 100))
    assert 0.8 < nd.similarity(long, long[:-2000]) < 1
    assert nd.similarity(long, long[14_000:] + long[:10_000][::-1]) == 0


@given(st.lists(st.sampled_from("甲乙丙1 ，a"), max_size=60).map("".join), st.text(max_size=80))
def test_similarity_is_symmetric_and_bounded(one: str, other: str) -> None:
    for text in (one, other, one + other):
        assert nd.similarity(text, text) == 1
        assert nd.similarity(one, text) == nd.similarity(text, one)
        assert 0 <= nd.similarity(one, text) <= 1


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_was_compared_is_not_compared_again(data: st.DataObject) -> None:
    """However documents came and went, the clusters are those of a first run, with the fewest comparisons known."""
    pool = {f"{i}": text for i, text in enumerate(variants())}
    known: dict[Pair, float] = {}
    for _ in range(3):
        ids = data.draw(st.lists(st.sampled_from(sorted(pool)), unique=True))
        texts = {id: pool[id] for id in ids}
        found, _ = clustered(texts, None, known)
        fresh, _ = clustered({id: pool[id] for id in sorted(ids)}, None, {})
        assert found == fresh
        again, asked = clustered(texts, None, found.compared)
        assert (again, asked) == (found, [])
        known = found.compared
        by_id = {one.id: one for one in found.reprints}
        for one in found.reprints:
            assert by_id[one.kept].kept == one.kept  # what is kept is there, and is no reprint itself
            assert one.similarity == nd.similarity(nd.letters(texts[one.id]), nd.letters(texts[one.kept])) > 0


def variants() -> list[str]:
    """Articles, their reprints, and look-alikes."""
    made = [*REPRINTED.values(), OTHER, damaged(OTHER, 0.02, 5), damaged(OTHER, 0.02, 6), OTHER[:-40], "短"]
    return made + [notice(3, day, 9, "清水", 6, "5550101") for day in range(1, 5)]


def test_very_many_alike_cost_no_more_than_their_number() -> None:
    """One text many times is compared with nothing; the same form many times a bounded number of times each."""
    assert clustered({f"{i:04}": ARTICLE for i in range(2000)}, None, {})[1] == []
    form = {f"{i:04}": notice(i % 12 + 1, i % 28 + 1, 9, "清水", 6, f"{i * 7919:07}") for i in range(400)}
    asked = clustered(form, None, {})[1]
    assert 400 <= len(asked) <= 400 * 3 * clusters.MOST_COMPARED


def build(root: Path, output: Path, drop: bool = False, **more: object) -> Version:
    """One run, as the flow does it.  more: for `Store.commit`"""
    commit: Any = Store.commit

    def committed(self: Store, *arguments: object) -> Any:
        return commit(self, *arguments, drop_reprints=drop, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", committed)
        return build_once(root, output, DROPPING) if drop else build_once(root, output)


def rows_of(version: Version) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables, in the order of ids."""
    found = {}
    for name in (*STORED, "seeds"):
        keys = {"edits": ["id", "n"], "comparisons": ["id", "other"]}.get(name, ["id"])
        found[name] = version.read(name).sort_by([(key, "ascending") for key in keys]).to_pylist()
    return found


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    write_seeds(tmp_path / "seeds", {"a.txt": ARTICLE, "b.txt": damaged(ARTICLE, 0.03, 1), "c.txt": OTHER})
    return tmp_path / "seeds"


def test_reprints_are_listed_and_nothing_is_deleted(seeds: Path, tmp_path: Path) -> None:
    version = build(seeds, tmp_path / "output")
    (row,) = pq.read_table(tmp_path / "output/latest/reprints").to_pylist()
    kept, reprint = sorted("ab", key=lambda name: -len(nd.letters((seeds / f"{name}.txt").read_text("utf-8"))))
    assert (row["id"], row["kept"]) == (f"{reprint}.txt", f"{kept}.txt")
    assert 0.9 < row["similarity"] < 1
    assert version.read("documents").num_rows == 3
    assert version.manifest.counts["reprints"] == 1


def test_another_process_finds_the_same(seeds: Path, tmp_path: Path) -> None:
    one, other = build(seeds, tmp_path / "one"), build(seeds, tmp_path / "other", by=apart)
    assert other.manifest.counts["reprints"] == 1
    assert other.manifest.content_id == one.manifest.content_id
    assert rows_of(other) == rows_of(one)


def test_a_run_reads_only_texts_that_must_be_compared(
    seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "output"
    build(seeds, output)
    compared: list[set[str]] = []
    letters = reprints._letters

    def noted(ids: pa.ChunkedArray, *rest: Any) -> Any:
        compared.append(set(ids.to_pylist()))
        return letters(ids, *rest)

    monkeypatch.setattr(reprints, "_letters", noted)
    assert build(seeds, output).number == 1
    write_seeds(seeds, {"d.txt": "一篇没有人见过的文章。" * 9})
    build(seeds, output)
    assert compared == []
    write_seeds(seeds, {"e.txt": OTHER + "（转载）"})
    build(seeds, output)
    assert compared == [{"c.txt", "e.txt"}]


def test_it_does_not_matter_how_little_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: dict[str, str | bytes] = {
        f"{n}-{of}.txt": damaged(text, 0.03, n) for n in range(6) for of, text in (("a", ARTICLE), ("o", OTHER))
    }
    write_seeds(tmp_path / "seeds", texts)
    whole = build(tmp_path / "seeds", tmp_path / "whole")
    for name in ("ROWS_AT_A_TIME", "PAIRS_AT_A_TIME", "LETTERS_AT_A_TIME"):
        monkeypatch.setattr(reprints, name, 1)
    monkeypatch.setattr(clusters, "TEXTS_AT_A_TIME", 1)
    bit_by_bit = build(tmp_path / "seeds", tmp_path / "bit by bit")
    assert whole.manifest.counts["reprints"] == 10
    assert [one.part.sha256 for table in STORED for one in whole.sources(table)] == [
        one.part.sha256 for table in STORED for one in bit_by_bit.sources(table)
    ]


def test_the_kept_document_changes_vanishes_and_is_renamed(seeds: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    write_seeds(seeds, {"b.txt": ARTICLE + "（据新华社）", "d.txt": ARTICLE[:-20]})

    def kept() -> dict[str, str]:
        table = build(seeds, output).read("reprints")
        return dict(zip(table["id"].to_pylist(), table["kept"].to_pylist(), strict=True))

    assert kept() == {"a.txt": "b.txt", "d.txt": "b.txt"}
    (seeds / "b.txt").rename(seeds / "z.txt")
    assert kept() == {"a.txt": "z.txt", "d.txt": "z.txt"}
    write_seeds(seeds, {"z.txt": OTHER})
    assert kept() == {"d.txt": "a.txt", "z.txt": "c.txt"}
    (seeds / "a.txt").unlink()
    assert kept() == {"z.txt": "c.txt"}


def test_dropped_reprints_are_in_quarantine_and_come_back(seeds: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    write_seeds(seeds, {"a.txt": ARTICLE + "（完）", "b.txt": ARTICLE, "d.txt": ARTICLE})
    first = build(seeds, output, drop=True)
    assert first.read("documents")["id"].to_pylist() == ["a.txt", "c.txt"]
    assert set(first.read("edits")["id"].to_pylist()) <= {"a.txt", "c.txt"}
    rows = first.read("quarantine").to_pylist()
    assert [(row["id"], row["kind"]) for row in rows] == [("b.txt", "reprint"), ("d.txt", "reprint")]
    assert all("a.txt" in row["reason"] and row["seed_sha256"] for row in rows)
    with pytest.raises(StoreError, match=r"reprint of a\.txt"):
        first.document("b.txt")
    assert build(seeds, output, drop=True).number == 1
    (seeds / "a.txt").unlink()
    second = build(seeds, output, drop=True)
    assert second.read("documents")["id"].to_pylist() == ["b.txt", "c.txt"]
    assert second.read("quarantine")["id"].to_pylist() == ["d.txt"]
    counts = second.manifest.counts
    assert (counts["vanished"], counts["changed"], counts["unchanged"]) == (1, 0, 3)
    assert second.seed_bytes("b.txt") == ARTICLE.encode()


def test_rolling_back_and_compacting_keep_reprints(seeds: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    first = rows_of(build(seeds, output))
    write_seeds(seeds, {"e.txt": OTHER})
    second = rows_of(build(seeds, output))
    assert len(second["reprints"]) == 2
    store = Store(output)
    with store.writer_lock():
        assert rows_of(rollback(store, 1)) == first
    (seeds / "e.txt").unlink()
    assert build(seeds, output).number == 3
    write_seeds(seeds, {"e.txt": OTHER})
    assert rows_of(build(seeds, output)) == second
    with store.writer_lock():
        assert rows_of(compact(store)) == second


CONTENTS: list[str | bytes | None] = [None, b"\xff", *variants()]
STEPS = st.lists(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(range(len(CONTENTS))), max_size=5),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("drop", [False, True])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_many_steps_are_one(tmp_path_factory: pytest.TempPathFactory, drop: bool, steps: list[dict[str, int]]) -> None:
    """However a corpus came about, it has the reprints of a first run over the same seeds; and no article is lost."""
    folder = tmp_path_factory.mktemp("steps")
    root, output = folder / "seeds", folder / "output"
    root.mkdir()
    for number, changes in enumerate(steps):
        for name, content in changes.items():
            (root / name).unlink(missing_ok=True)
            text = CONTENTS[content]
            if text is not None:
                write_seeds(root, {name: text})
        version, whole = build(root, output, drop), build(root, folder / f"whole{number}", drop)
        rows = rows_of(version)
        assert rows == rows_of(whole)
        assert version.manifest.content_id == whole.manifest.content_id
        documents = {row["id"] for row in rows["documents"]}
        assert {row["kept"] for row in rows["reprints"]} <= documents
        listed = {row["id"] for row in rows["reprints"]}
        assert listed.isdisjoint(documents) if drop else listed <= documents
        assert len(documents) + len(rows["quarantine"]) == len(list(root.iterdir()))


def test_a_signature_without_a_document_is_told(seeds: Path, tmp_path: Path) -> None:
    version = build(seeds, tmp_path / "output")
    with pytest.raises(StoreError, match="has a signature, but no document"):
        reprints.find(version.sources("signatures"), [], [])


def test_the_seeds_of_this_project_are_no_reprints_of_each_other() -> None:
    texts = {path.name: clean(path.read_bytes()).text for path in sorted(SEEDS.glob("*.txt"))}
    assert judged(texts) == {}
    copies = {f"copy of {name}": damaged(text, 0.02, 9) for name, text in texts.items()}
    found = judged(texts | copies)
    assert found.keys() == texts.keys() | copies.keys()
    assert all(found[name].cluster == found[f"copy of {name}"].cluster for name in texts)


def test_the_configuration_decides() -> None:
    assert not Config().drop_reprints
    assert fingerprint(Config(drop_reprints=True)) != fingerprint()
    assert "--drop-reprints" in CliRunner().invoke(cli.main, ["build", "--help"]).output
