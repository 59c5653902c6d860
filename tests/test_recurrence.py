"""What recurs: what is learned of a site, what goes because of it, and what stays although it recurs."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from corpus_samples import write_seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from recurring_site import FOOTER, NAVIGATION, article, build, headline, page

from cleaners import Config, apply, clean, fingerprint, recurrence
from corpus import recurring
from corpus.seeds import scan
from corpus.store import Store, Version
from corpus.upkeep import rollback
from corpus.verify import verify

SITE = "shanxiang.example"
STRANGE = [line for line in [*NAVIGATION, *FOOTER] if line not in ("网站首页", "返回顶部", "版权所有 山乡在线")]
"""Lines of the frame that no rule names."""


def pages(count: int, site: str = SITE) -> dict[str, str | bytes]:
    return {f"{site}/{number:03}.txt": page(number) for number in range(count)}


def texts(version: Version) -> dict[str, str]:
    rows = version.read("documents", ["id", "text"])
    return dict(zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True))


ALONE = Config(cleaners=("recurrence", "metadata", "layout"))
"""Neither rules nor the line classifier: what goes, goes because it recurs."""


def made(folder: Path, seeds: dict[str, str | bytes], config: Config | None = None) -> Version:
    write_seeds(folder / "seeds", seeds)
    version, _ = build(folder / "seeds", folder / "output", config)
    assert version is not None
    return version


def lines_of(version: Version) -> set[str]:
    return set(version.read("recurring")["line"].to_pylist())


def whole(version: Version, output: Path) -> None:
    assert list(verify(Store(output), version)) == []


# ---------------------------------------------------------------- what goes


def test_the_frame_of_a_site_goes_and_the_article_stays(tmp_path: Path) -> None:
    version = made(tmp_path, pages(20))
    assert {recurrence.masked(line) for line in STRANGE} <= lines_of(version)
    for number, text in enumerate(texts(version).values()):
        lines = text.split("\n\n")
        assert not set(lines) & set(STRANGE)
        assert lines == [headline(number), *article(number)]
    whole(version, tmp_path / "output")


def test_each_line_has_its_rule_and_leads_back_to_the_seed(tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", pages(12))
    version, _ = build(tmp_path / "seeds", tmp_path / "output", ALONE)
    assert version is not None
    document = version.document(f"{SITE}/003.txt")
    found = {edit.before.strip(): edit.rule for one in document.trail for edit in one.edits}
    assert found["山乡要闻"] == "recurrence.head_line"
    assert found["渡口留言板"] == "recurrence.tail_line"
    assert document.original() == page(3)
    assert version.seed_bytes(document.name) == page(3).encode()


def test_the_table_says_what_recurs_where_and_how_often(tmp_path: Path) -> None:
    version = made(tmp_path, pages(12))
    rows = {row["line"]: row for row in version.read("recurring").to_pylist()}
    row = rows["山乡要闻"]
    assert (row["site"], row["place"], row["articles"], row["of"], row["rule"]) == (SITE, "head", 12, 12, None)
    assert rows["返回顶部"]["rule"] == "chrome.tool_button_alone"
    assert rows["返回顶部"]["place"] == "tail"


def test_a_single_text_has_nothing_that_recurs() -> None:
    assert {
        edit.rule for one in clean(page(1).encode()).trail for edit in one.edits if one.cleaner == "recurrence"
    } == set()


def test_one_text_with_the_lines_of_the_corpus_is_the_document(tmp_path: Path) -> None:
    version = made(tmp_path, pages(12))
    keys = {int(row["id"], 16) for row in version.read("recurring").to_pylist()} | {recurrence.KNOWN}
    document = clean(page(3).encode(), f"{SITE}/003.txt", Config(recurring=frozenset(keys)))
    assert document.text == version.document(f"{SITE}/003.txt").text


def test_cleaning_again_with_the_same_lines_changes_nothing(tmp_path: Path) -> None:
    version = made(tmp_path, pages(12))
    keys = frozenset({int(row["id"], 16) for row in version.read("recurring").to_pylist()} | {recurrence.KNOWN})
    for text in texts(version).values():
        assert clean(text.encode(), "", Config(recurring=keys)).text == text


def test_numbers_do_not_matter(tmp_path: Path) -> None:
    seeds: dict[str, str | bytes] = {
        f"{SITE}/{n}.txt": page(n, [*NAVIGATION[:3], f"今日已有{n * 37}位乡亲来访", *NAVIGATION[3:]]) for n in range(12)
    }
    version = made(tmp_path, seeds)
    assert "今日已有0位乡亲来访" in lines_of(version)
    assert not any("乡亲来访" in text for text in texts(version).values())


def test_a_notice_that_reads_like_prose_needs_half_of_the_pages(tmp_path: Path) -> None:
    notice = "山乡在线转载的文字都注明了来处，若有不妥之处，请写信告诉我们，我们收到后当天就改。"
    often = {f"{SITE}/{n}.txt": page(n, tail=[notice, *FOOTER]) for n in range(14)}
    version = made(tmp_path, dict(often))
    assert [row["line"] for row in version.read("recurring").to_pylist() if row["place"] == "notice"] == [notice]
    assert not any(notice in text for text in texts(version).values())
    seldom = {f"{SITE}/{n}.txt": page(n, tail=[notice, *FOOTER] if n < 6 else FOOTER) for n in range(14)}
    version = made(tmp_path / "seldom", dict(seldom))
    assert sum(notice in text for text in texts(version).values()) == 6


# ---------------------------------------------------------------- what stays


def test_three_pages_are_too_few(tmp_path: Path) -> None:
    assert lines_of(made(tmp_path, pages(3))) == set()


def test_lines_of_another_site_do_not_count(tmp_path: Path) -> None:
    version = made(tmp_path, {**pages(3), **pages(3, "other.example"), **pages(3, "third.example")})
    assert lines_of(version) == set()


@pytest.mark.parametrize("rules", [True, False])
def test_a_reprinted_article_stays(tmp_path: Path, rules: bool) -> None:
    """Ten copies of one article, with short lines in it, among other articles: they are evidence for one article."""
    head = NAVIGATION if rules else [line for line in NAVIGATION if line in STRANGE]
    seeds: dict[str, str | bytes] = {f"{SITE}/{n:02}.txt": page(n, head) for n in range(12)}
    poem = ["山路弯弯", "溪水长长", "谁家灯火", "照我还乡"]
    body = [*poem, *article(99)]
    for n in range(10):
        seeds[f"{SITE}/copy{n}.txt"] = "\n".join([*head, headline(99), *body, *FOOTER]) + "\n"
    version = made(tmp_path, seeds, ALONE)
    assert not lines_of(version) & set(poem)
    for id, text in texts(version).items():
        if "copy" in id:
            assert text.split("\n\n") == [headline(99), *body]


def test_copies_alone_teach_nothing(tmp_path: Path) -> None:
    version = made(tmp_path, {f"{SITE}/{n}.txt": page(n, copy_of=7) for n in range(10)})
    assert lines_of(version) == set()


def test_a_hundred_issues_with_a_column_and_a_closing_line_stay(tmp_path: Path) -> None:
    seeds: dict[str, str | bytes] = {
        f"column/{n:03}.txt": "\n".join(["渡口夜话", headline(n), *article(n), "下期同一时间再会"]) + "\n"
        for n in range(100)
    }
    for number, text in enumerate(texts(made(tmp_path, seeds, ALONE)).values()):
        assert text.split("\n\n") == ["渡口夜话", headline(number), *article(number), "下期同一时间再会"]


@pytest.mark.parametrize("has_rules", [True, False])
def test_collections_of_one_kind_of_text_stay(tmp_path: Path, has_rules: bool) -> None:
    """Laws, recipes, tables, poems with a refrain, letters: bare, or with the frame of a site around them."""
    bodies: dict[str, Callable[[int], list[str]]] = {
        "law": lambda n: [
            "第一章 总则",
            article(n)[0],
            "第二章 罚则",
            article(n)[1],
            "第三章 附则",
            "本办法自公布之日起施行。",
        ],
        "recipe": lambda n: [
            article(n)[0],
            "用料",
            "糯米",
            f"{100 + n}克",
            "红糖",
            f"{10 + n}克",
            "做法",
            *article(n)[1:3],
            "小贴士",
            article(n)[3],
        ],
        "prices": lambda n: [
            *article(n),
            "今天的价格如下：",
            "品名",
            "产地",
            "价格",
            "白菜",
            "山前",
            f"{n}.5",
            "萝卜",
            "山后",
            f"{n}.2",
        ],
        "song": lambda n: [
            *article(n)[:2],
            "渡船渡船慢慢摇",
            "摇到对岸月儿高",
            *article(n)[2:],
            "渡船渡船慢慢摇",
            "摇到对岸月儿高",
        ],
        "letter": lambda n: ["各位乡亲", *article(n), "此致", "敬礼"],
    }
    for kind, body in bodies.items():
        frame = (NAVIGATION, FOOTER) if has_rules else ((), ())
        seeds: dict[str, str | bytes] = {
            f"{kind}/{n:03}.txt": "\n".join([*frame[0], headline(n), *body(n), *frame[1]]) + "\n" for n in range(30)
        }
        found = texts(made(tmp_path / kind, seeds, ALONE))
        for number, text in enumerate(found.values()):
            assert set(body(number)) <= set(text.split("\n\n")), kind


def test_what_tells_about_the_article_and_the_headline_stay(tmp_path: Path) -> None:
    """The same headline every day, and the same source and editor."""
    seeds: dict[str, str | bytes] = {
        f"{SITE}/{n}.txt": "\n".join(
            [*NAVIGATION, "山乡一日见闻", "来源：山乡日报", *article(n), "责任编辑：周小舟", *FOOTER]
        )
        for n in range(12)
    }
    version = made(tmp_path, seeds, ALONE)
    for id, text in texts(version).items():
        assert text.split("\n\n")[0] == "山乡一日见闻"
        document = version.document(id)
        assert (document.metadata["source"], document.metadata["editor"]) == ("山乡日报", "周小舟")


def test_lines_inside_of_articles_do_not_recur(tmp_path: Path) -> None:
    signature = "山水有相逢 后会自有期"
    bodies = {n: [article(n)[0], signature, article(n)[1], signature, *article(n)[2:]] for n in range(12)}
    seeds: dict[str, str | bytes] = {
        f"{SITE}/{n}.txt": "\n".join([*NAVIGATION, headline(n), *body, *FOOTER]) for n, body in bodies.items()
    }
    version = made(tmp_path, seeds, ALONE)
    assert not any("山水" in line for line in lines_of(version))
    assert all(signature in text for text in texts(version).values())


def test_the_site_of_a_record_is_its_address(tmp_path: Path) -> None:
    records = [
        {"id": f"{site}{n}", "url": f"https://www.{site}.example/{n}", "text": page(n)}
        for site, count in (("one", 6), ("two", 3))
        for n in range(count)
    ]
    version = made(tmp_path, {"crawl.jsonl": "\n".join(map(json.dumps, records)) + "\n"})
    assert {row["site"] for row in version.read("recurring").to_pylist()} == {"one.example"}
    assert {id.partition("two")[1] for id, text in texts(version).items() if "渡口留言板" in text} == {"two"}


# ---------------------------------------------------------------- history


def rows_of(version: Version) -> dict[str, list[dict[str, object]]]:
    order = {
        "edits": [("id", "ascending"), ("n", "ascending")],
        "recurring": [("id", "ascending"), ("site", "ascending")],
    }
    names = ("documents", "edits", "quarantine", "recurring", "lines", "seeds")
    return {name: version.read(name).sort_by(order.get(name, [("id", "ascending")])).to_pylist() for name in names}


@pytest.mark.parametrize("seed", range(4))
def test_the_same_seeds_are_the_same_version_whatever_came_before(tmp_path: Path, seed: int) -> None:
    """Random histories of pages that come, go, change and are renamed end like one first run."""
    draw = random.Random(seed)
    final = {**pages(9), **pages(5, "other.example"), "x.txt": page(50), "bad.txt": b"\xff\xfe\x00\xd8"}
    final |= {f"{SITE}/copy{n}.txt": page(n, copy_of=2) for n in range(3)}
    history, output = tmp_path / "history", tmp_path / "output"
    for _ in range(5):
        shutil.rmtree(history, ignore_errors=True)
        some = {id: text for id, text in final.items() if draw.random() < 0.6}
        some |= {f"{SITE}/old{n}.txt": page(200 + n) for n in range(draw.randrange(4))}
        some |= {id: page(draw.randrange(300, 400)) for id in final if draw.random() < 0.1}
        some |= {id.replace(".txt", ".text"): text for id, text in final.items() if draw.random() < 0.1}
        write_seeds(history, some)
        history.mkdir(exist_ok=True)
        build(history, output)
    shutil.rmtree(history)
    write_seeds(history, final)
    by_steps, _ = build(history, output)
    at_once, _ = build(history, tmp_path / "whole", max_bytes=1)
    assert by_steps is not None
    assert at_once is not None
    assert rows_of(by_steps) == rows_of(at_once)
    assert by_steps.manifest.content_id == at_once.manifest.content_id
    whole(by_steps, output)


def test_one_more_page_cleans_one_page(tmp_path: Path) -> None:
    made(tmp_path, pages(40))
    write_seeds(tmp_path / "seeds", {f"{SITE}/new.txt": page(77)})
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert cleaned == [f"{SITE}/new.txt"]
    assert version is not None
    assert {row["of"] for row in version.read("recurring").to_pylist()} == {41}


def test_nothing_changed_is_no_version(tmp_path: Path) -> None:
    first = made(tmp_path, pages(8))
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert version is not None
    assert (version.number, cleaned) == (first.number, [])


def test_the_fourth_page_cleans_the_three_before_and_no_other_site(tmp_path: Path) -> None:
    first = made(tmp_path, {**pages(3), **pages(10, "other.example")})
    assert "渡口留言板" in texts(first)[f"{SITE}/000.txt"]
    write_seeds(tmp_path / "seeds", {f"{SITE}/003.txt": page(3)})
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert cleaned == [f"{SITE}/{n:03}.txt" for n in range(4)]
    assert version is not None
    assert "渡口留言板" not in texts(version)[f"{SITE}/000.txt"]
    (tmp_path / "seeds" / SITE / "001.txt").unlink()
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert cleaned == [f"{SITE}/{n:03}.txt" for n in (0, 2, 3)]
    assert version is not None
    assert "渡口留言板" in texts(version)[f"{SITE}/000.txt"]
    whole(version, tmp_path / "output")


def test_a_page_that_moves_to_another_site_is_cleaned_again(tmp_path: Path) -> None:
    made(tmp_path, {**pages(8), "elsewhere/a.txt": page(60)})
    (tmp_path / "seeds/elsewhere/a.txt").rename(tmp_path / f"seeds/{SITE}/a.txt")
    (tmp_path / f"seeds/{SITE}/001.txt").rename(tmp_path / f"seeds/{SITE}/b.txt")
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert cleaned == [f"{SITE}/a.txt"]
    assert version is not None
    assert texts(version)[f"{SITE}/a.txt"].split("\n\n") == [headline(60), *article(60)]
    whole(version, tmp_path / "output")


def test_a_killed_run_goes_on_only_with_what_still_holds(tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", pages(3))
    assert build(tmp_path / "seeds", tmp_path / "output", max_bytes=1, stop_after=2)[0] is None
    resumed, cleaned = build(tmp_path / "seeds", tmp_path / "same", max_bytes=1, stop_after=2)
    resumed, cleaned = build(tmp_path / "seeds", tmp_path / "same", max_bytes=1)
    assert resumed is not None
    assert len(cleaned) == 1
    write_seeds(tmp_path / "seeds", {f"{SITE}/003.txt": page(3)})  # now the lines recur
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output", max_bytes=1)
    assert len(cleaned) == 4
    assert version is not None
    other, _ = build(tmp_path / "seeds", tmp_path / "whole")
    assert other is not None
    assert rows_of(version) == rows_of(other)


def test_after_a_rollback_the_seeds_decide_again(tmp_path: Path) -> None:
    made(tmp_path, pages(3))
    second = made(tmp_path, pages(6))
    store = Store(tmp_path / "output")
    with store.writer_lock():
        back = rollback(store, 1)
    whole(back, tmp_path / "output")
    assert lines_of(back) == set()
    version, cleaned = build(tmp_path / "seeds", tmp_path / "output")
    assert version is not None
    assert len(cleaned) == 6
    assert rows_of(version) == rows_of(second)


def test_without_the_cleaner_nothing_goes(tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", pages(8))
    kept = ("chrome", "metadata", "layout")
    version, _ = build(tmp_path / "seeds", tmp_path / "output", Config(cleaners=kept))
    assert version is not None
    assert all("渡口留言板" in text for text in texts(version).values())


def test_what_recurs_is_no_part_of_the_fingerprint() -> None:
    assert fingerprint(Config(recurring=frozenset({8, 12}))) == fingerprint(Config())


def test_a_forged_mark_is_found(tmp_path: Path) -> None:
    version = made(tmp_path, pages(6))
    seeds = version.seeds()
    found = recurring.marks(version)
    assert any(found["mark"].to_pylist())
    assert {id: known.recurring for id, known in seeds.items()} == dict(
        zip(found["id"].to_pylist(), found["mark"].to_pylist(), strict=True)
    )


# ---------------------------------------------------------------- sites, keys, samples


@pytest.mark.parametrize(
    ("id", "said", "site"),
    [
        ("a.txt", None, ""),
        ("news/a.txt", None, "news"),
        ("2019/www.News.example/11/a.txt", None, "news.example"),
        ("www.news.example/a.txt", None, "news.example"),
        ("news.example/a.txt", "www.other.example", "other.example"),
        ("a.example", None, ""),
        ("part-0001/b/c.txt", None, "part-0001"),
    ],
)
def test_the_site_of_a_seed(id: str, said: str | None, site: str) -> None:
    assert recurring.site(id, said) == site


def test_masked_lines() -> None:
    assert recurrence.masked(" 已有 12,034 人　参与 ") == "已有0,0人参与".replace(",", ",")
    assert recurrence.masked("第１２期") == "第0期"
    assert recurrence.masked("全市今日新增 12 例，均已出院。") == "全市今日新增12例，均已出院。"


@given(st.text(alphabet="首页 导航\n12，。—>版权\ud800\u200b", max_size=300), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_any_text_with_any_lines(text: str, draw: random.Random) -> None:
    found = recurrence.sample(text)
    assert list(found.keys) == sorted(set(found.keys))
    chosen = {key for key in found.keys if draw.random() < 0.8} | {recurrence.KNOWN}
    config = replace(Config(), recurring=frozenset(chosen))
    edits = list(recurrence.propose(text, config))
    apply(text, edits)
    assert all(edit.after == "" for edit in edits)
    assert recurrence.lines(text, chosen).keys() <= chosen


def test_samples_of_hostile_texts() -> None:
    for text in ("", "\n" * 100_000, "首页\n" * 100_000, "字" * 3_000_000, "第一，" * 200_000, "1\n" * 50_000):
        assert len(recurrence.sample(text).keys) < 1_000
        list(recurrence.propose(text, Config(recurring=frozenset({1, 5, 9, 13, 3}))))


def test_a_seed_that_changes_between_scan_and_survey_is_left_out(tmp_path: Path) -> None:
    write_seeds(tmp_path, pages(6))
    found = scan(tmp_path, 1 << 20)
    (tmp_path / SITE / "002.txt").write_text("另一篇")
    survey = recurring.look(tmp_path, found, "", None, Config())
    assert sum(rows.num_rows for rows in survey.fresh if isinstance(rows, pa.Table)) == 5
    assert {one.of for one in survey.recurring} == {5}


# ---------------------------------------------------------------- pages in HTML


def html_page(number: int) -> str:
    """A page of a site that says nothing in the names of its elements."""
    links = "".join(f'<a href="/{i}">{name}</a>' for i, name in enumerate([*NAVIGATION, "联系我们", "关于我们"]))
    prose = "".join(f"<p>{line}</p>" for line in article(number))
    foot = "".join(f"<div>{line}</div>" for line in FOOTER)
    return (
        f"<!DOCTYPE html><html><head><title>{headline(number)}_山乡在线</title></head><body><div>{links}</div>"
        f"<h1>{headline(number)}</h1><div>山乡是我家</div><div>有路就有人</div>"
        f"<div class=t>{prose}</div><div>山里的故事</div>{foot}"
    )


def archive_of(source: str) -> str:
    head = 'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="=_b"\r\n\r\n'
    part = "--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return f"{head}{part}{source}\r\n--=_b--\r\n"


@pytest.mark.parametrize("wrap", [str, archive_of])
def test_the_frame_of_pages_in_html_goes(tmp_path: Path, wrap: Callable[[str], str]) -> None:
    alone = clean(wrap(html_page(3)).encode()).text
    assert "山里的故事" in alone
    assert "山乡服务台" in alone
    version = made(tmp_path, {f"{SITE}/{number:03}.html": wrap(html_page(number)) for number in range(20)})
    assert texts(version)[f"{SITE}/003.html"] == "\n\n".join([headline(3), *article(3)])
    assert {"山乡是我家", "山里的故事"} < lines_of(version)
    whole(version, tmp_path / "output")


def test_what_a_reader_sees_of_a_page() -> None:
    source = html_page(1).replace("<h1>", "<p hidden>看不见</p><table><tr><td>一</td><td>二</td></tr></table><h1>")
    seen = recurrence.readable(source, Config()).splitlines()
    assert seen[:5] == ["一\t二", headline(1), "山乡是我家", "有路就有人", article(1)[0]]
    assert recurrence.readable("<p>一段话", Config()) == "<p>一段话"
    assert recurrence.readable("<html><body><a href=x>山</a></body></html>", Config()) == ""
    assert recurrence.readable(archive_of("").replace("text/html", "text/plain"), Config()) == ""


def test_a_page_that_cannot_be_read_teaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(text: str, config: Config) -> str:
        raise ValueError("a defect")

    monkeypatch.setattr(recurrence, "readable", failing)
    version = made(tmp_path, pages(6))
    assert lines_of(version) == set()
