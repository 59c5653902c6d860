"""HTML and MHTML seeds: what is a page, what is kept of it, what is said about what goes, and hostile pages."""

import base64
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import Config, Document, apply, clean, extraction, fingerprint_parts, html_metadata, html_source, undo
from cleaners.document import RefusedError
from cleaners.encoding import encode

PROSE = "今天上午，江东大桥正式通车，市民纷纷前来参观，场面十分热闹。"


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def extracted(source: str) -> str:
    return apply(source, extraction.propose(source, Config()))


def restored(document: Document) -> bytes:
    return encode(document.original(), document.encoding)


# ---- what is a page


@pytest.mark.parametrize(
    "source",
    [
        "<!doctype html><p>今天",
        '\ufeff\r\n<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<p>今天',
        "<?xml version='1.0'?>\n<!-- saved from url -->\n<html><body>今天</body></html>",
        "<HTML>今天天气很好</HTML>",
        "<html lang=zh><head><title>今天</title>",
        "<body>今天</body>",
        "<div><p>今天</p></div></body></html>",
        "<script>x</script>" + "<div><p>今天</p></div>" * 40,
    ],
)
def test_pages(source: str) -> None:
    assert extraction.is_page(source)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<html> 标签是网页的根，里面有 <head> 和 <body>。",
        "<p>一段话，从网页上抄来。",
        "<div>\n\n# 标题\n\n</div>\n```html\n<html></html>\n```",
        "<rss><channel></channel></rss>",
        "<?xml version='1.0'?><book><body>一</body></book>",
        "<svg><text>一</text></svg>",
        "<htmlx></htmlx>",
        "前言\n<!DOCTYPE html><html></html>",
        "<姓名>同学：你好。",
        "<!-- " + "x" * 50_000,
    ],
)
def test_no_pages(text: str) -> None:
    assert not extraction.is_page(text)
    assert list(extraction.propose(text, Config())) == []


# ---- encodings


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("declared", ["utf-8", "gb2312", "big5", "iso-8859-1"])
def test_encoding_is_read_from_the_bytes_whatever_the_page_declares(codec: str, declared: str) -> None:
    raw = page(f"<p>{PROSE}</p>", f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">').encode(
        codec
    )
    document = clean(raw)
    assert document.quarantine is None
    assert document.text == PROSE
    assert restored(document) == raw


def test_big5_page() -> None:
    prose = "今天上午，江東大橋正式通車，市民紛紛前來參觀，場面十分熱鬧。"
    raw = page(f"<h1>江東大橋通車</h1><p>{prose}</p>", "<title>江東大橋通車</title>").encode("big5")
    document = clean(raw)
    assert document.encoding.name == "big5hkscs"
    assert document.text == f"江東大橋通車\n\n{prose}"
    assert document.metadata["title"] == "江東大橋通車"
    assert restored(document) == raw


# ---- what is kept


def test_kept_characters_lead_to_their_place_in_the_page() -> None:
    source = page(f"<div class=nav><a href=/>首页</a></div><p>{PROSE}</p>")
    document = clean(source.encode())
    start, end = document.seed_span(0, 4)
    assert source[start:end] == "今天上午"


def test_inline_markup_stays_in_its_line_and_blocks_begin_lines() -> None:
    assert (
        extracted(page("<p>山<b>河</b>，<a href=x>江</a>东。</p><div>水</div>土<br>木")) == "山河，江东。\n水\n土\n木"
    )


def test_line_ends_of_the_source_are_no_spaces_between_chinese_characters() -> None:
    assert extracted(page("<p>山\n  河，see\n  you</p>")) == "山河，see you"


def test_preformatted_text_keeps_its_lines() -> None:
    assert extracted(page("<pre>a = 1\n  b = 2</pre>")) == "a = 1\n  b = 2"


def test_rows_of_a_table_are_lines() -> None:
    rows = "<tr><td>语文</td><td>3</td></tr><tr><td>数学</td><td>5</td></tr>"
    assert (
        extracted(page(f"<p>{PROSE}</p><table>{rows}</table><p>{PROSE}</p>")) == f"{PROSE}\n语文\t3\n数学\t5\n{PROSE}"
    )


def test_a_page_without_prose_is_kept() -> None:
    assert extracted(page("<div>山<br>水</div>")) == "山\n水"


def test_links_around_the_article_go() -> None:
    links = "".join(f"<li><a href={i}>第{i}条新闻的标题</a></li>" for i in range(20))
    assert extracted(page(f"<ul>{links}</ul><div><p>{PROSE}</p></div><ul>{links}</ul>")) == PROSE


def test_prose_outside_the_article_s_element_stays() -> None:
    other = "山里的邮递员每周来两次，骑一辆绿色的自行车。"
    body = f"<div><p>{other}</p></div><div><p>{PROSE}</p><p>{PROSE[:-1]}，很晚才散。</p></div>"
    assert other in extracted(page(body))


def test_what_only_elements_of_the_frame_say_goes() -> None:
    body = f"<div><p>{PROSE}</p></div><footer><p>未经本报书面许可，不得转载，违者必究。</p></footer>"
    assert extracted(page(body)) == PROSE


# ---- what elements say


def test_what_follows_the_last_prose_stays_until_the_frame_begins() -> None:
    body = (
        f"<h1>通车</h1><div class=txt><p>{PROSE}</p></div>"
        "<table><tr><th>站名</th><th>时间</th></tr><tr><td>江东</td><td>8:30</td></tr></table>"
        "<p>江东市交通局</p>"
        "<div class=links><a href=1>新区规划</a> <a href=2>老城改造</a> <a href=3>学校招生</a></div><p>江东网主办</p>"
    )
    text = extracted(page(body, "<title>通车_江东网</title>"))
    assert text == f"通车\n{PROSE}\n站名\t时间\n江东\t8:30\n江东市交通局"


def test_a_list_below_a_heading_goes_on() -> None:
    body = f"<div><p>{PROSE}</p></div><h2>用料</h2><ul class=x><li>面<li>葱<li>盐</ul>"
    assert extracted(page(body)) == f"{PROSE}\n用料\n面\n葱\n盐"


def test_short_posts_of_a_thread_stay() -> None:
    post = "<div class=post><div class=who><a href=u>周小舟</a></div><div class=said>{}</div></div>"
    text = extracted(page(post.format(PROSE + PROSE) + post.format(PROSE) + post.format("同去！")))
    assert text.endswith("同去！")


def test_lines_above_the_headline_go_but_not_a_table() -> None:
    table = "<table><tr><td>索引号</td><td>江东/2021</td></tr><tr><td>有效性</td><td>有效</td></tr></table>"
    body = f"<p>首页</p>{table}<h1>大桥通车的通告</h1><div><p>{PROSE}</p></div>"
    text = extracted(page(body, "<title>大桥通车的通告</title>"))
    assert text.startswith("索引号\t江东/2021\n有效性\t有效\n大桥通车的通告")


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>隐藏的一段话，没有人看见。</p>",
        "<p style='display: none'>隐藏的一段话，没有人看见。</p>",
        "<p class='a seo'>隐藏的一段话，没有人看见。</p>",
        "<p id=tip>隐藏的一段话，没有人看见。</p>",
        "<span style='display:none'>隐藏的<span>一段</span>话，没有人看见。</span>",
        "<b class=seo>隐藏的一段话，没有人看见。</b>",
    ],
)
def test_what_a_style_hides_goes(hidden: str) -> None:
    style = "<style>/* x */ .seo, #tip { color: red; display : none } @media print { .ad { display: none } }</style>"
    assert extracted(page(f"<p>{PROSE}</p>{hidden}<p>{PROSE}</p>", style)) == f"{PROSE}\n{PROSE}"


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("@media print { .note { display: none } }", "<p class=note>山河。</p>"),
        (".menu .note { display: none }", "<p class=note>山河。</p>"),
        (".more-text { display: none }", "<p class=more-text>山河。</p>"),
        ("", "<span style='display:none'><p>山河。</p></span>"),
        ("", "<p data-hidden=no class=hidden-river>山河。</p>"),
    ],
)
def test_what_may_be_seen_stays(style: str, shown: str) -> None:
    assert "山河。" in extracted(page(f"<div><p>{PROSE}</p>{shown}</div>", f"<style>{style}</style>"))


def test_navigation_inside_the_article_goes() -> None:
    inner = "<nav><a href=1>目录</a></nav><amp-ad><div>广告</div></amp-ad>"
    assert extracted(page(f"<article><p>{PROSE}</p>{inner}<p>{PROSE}</p></article>")) == f"{PROSE}\n{PROSE}"


def test_sources_and_attachments_stay_although_they_are_links() -> None:
    links = "<li><a href=1>县志</a><li><a href=2>桥梁史</a>"
    body = f"<div><p>{PROSE}</p></div><h2>参考文献</h2><ul>{links}</ul><p>附件：<a href=x>名单.doc</a></p>"
    assert extracted(page(body)) == f"{PROSE}\n参考文献\n县志\n桥梁史\n附件：名单.doc"


def test_rules_of_chrome_are_named_in_the_page_s_edits() -> None:
    source = page(f"<div><p>{PROSE}</p><p>打印 关闭 分享到 微信</p></div>")
    edits = list(extraction.propose(source, Config()))
    assert apply(source, edits) == PROSE
    assert any(edit.rule == "chrome.tool_buttons" for edit in edits)
    without = list(extraction.propose(source, Config(cleaners=("extraction",))))
    assert "打印" in apply(source, without)


def test_a_page_of_buttons_is_not_emptied() -> None:
    assert extracted(page("<p>打印 关闭 分享</p>")) == "打印 关闭 分享"


def test_style_sheets_and_hidden_elements_that_never_end() -> None:
    for sheet in ("@media{" * 20_000, "@media{a{}" * 20_000, ".a{" * 20_000, ".a,{display:none}" * 10_000):
        assert extracted(page(f"<p>{PROSE}</p>", f"<style>{sheet}</style>")) == PROSE
    assert extracted(page(f"<p>{PROSE}<span hidden>山</p><p>{PROSE}</p>")) == f"{PROSE}\n{PROSE}"


# ---- what is said about what goes


def test_edits_account_for_every_character() -> None:
    source = page(
        f"<script>f('<p>')</script><div class=nav><a href=/>首页</a></div><p>{PROSE}&nbsp;</p>", "<title>山</title>"
    )
    edits = list(extraction.propose(source, Config()))
    rules = {edit.rule for edit in edits}
    assert {"extraction.markup", "extraction.script", "extraction.frame", "extraction.entity"} <= rules
    assert undo(apply(source, edits), edits) == source


def test_a_page_without_text_is_refused_with_a_reason() -> None:
    document = clean(page("<div id=app></div><script>load()</script>").encode())
    assert document.quarantine is not None
    assert document.quarantine.kind == "empty"
    assert "browser" in document.quarantine.reason


def test_without_the_cleaner_a_page_is_no_document() -> None:
    document = clean(page(f"<p>{PROSE}</p>").encode(), config=Config(cleaners=("punctuation",)))
    assert document.quarantine is not None
    assert document.quarantine.kind == "unsupported_format"


def test_the_library_s_version_is_part_of_the_fingerprint() -> None:
    assert "library:resiliparse" in fingerprint_parts()


def test_texts_do_not_pay_for_the_library() -> None:
    code = "import sys, cleaners; cleaners.clean('今天，天气很好。'.encode()); print('resiliparse' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# ---- metadata


def test_fields_from_meta_tags() -> None:
    head = (
        '<title>大桥通车_山河网</title><meta name="ContentSource" content="山河日报">'
        '<meta name="PubDate" content="2021-05-06 08:30"><meta name=keywords content="大桥,通车">'
        "<meta property='og:site_name' content='山河&amp;网'>"
    )
    found = clean(page(f"<h1>大桥通车</h1><p>{PROSE}</p>", head).encode()).metadata
    assert found["title"] == "大桥通车"
    assert found["source"] == "山河日报"
    assert found["published_at"] == "2021-05-06T08:30:00+08:00"
    assert found["keywords"] == ["大桥", "通车"]
    assert found["site"] == "山河&网"


def test_json_ld() -> None:
    script = (
        '<script type="application/ld+json">{"@type":"NewsArticle",'
        '"headline":"\\u5927\\u6865\\u901a\\u8f66\\u4e86\\u5417",'
        '"datePublished":"2021-05-06T08:30:00+08:00","author":{"@type":"Person","name":"周小舟"}}</script>'
    )
    found = clean(page(f"<p>{PROSE}</p>", script).encode()).metadata
    assert found["title"] == "大桥通车了吗"
    assert found["published_at"] == "2021-05-06T08:30:00+08:00"
    assert found["authors"] == ["周小舟"]


def test_what_readers_see_is_better_evidence_than_tags() -> None:
    head = '<meta name="author" content="管理系统"><meta name="source" content="山河网">'
    body = f"<h1>大桥通车</h1><p>来源：江东日报 作者：周小舟</p><p>{PROSE}</p>"
    document = clean(page(body, head).encode())
    assert document.metadata["source"] == "江东日报"
    assert document.metadata["authors"] == ["周小舟"]
    losers = [edit.before for one in document.trail for edit in one.edits if edit.rule == "extraction.meta"]
    assert losers == ["管理系统", "山河网"]


def test_absent_fields_are_empty() -> None:
    found = clean(page(f"<p>{PROSE}</p>", "<title>山河网</title><meta name=viewport content=1>").encode()).metadata
    assert not any(found.values())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("江东大桥今日正式通车_山河网", "江东大桥今日正式通车"),
        ("江东大桥今日正式通车 - 新闻 - 山河网", "江东大桥今日正式通车"),
        ("江东大桥今日正式通车|山河日报", "江东大桥今日正式通车"),
        ("江东大桥今日正式通车——写在通车之际", "江东大桥今日正式通车"),
        ("C-919客机江东首飞_山河网", "C-919客机江东首飞"),
        ("山河网_新闻中心", None),
        ("山河网", None),
    ],
)
def test_names_of_sites_are_cut_off_a_title_without_a_line(title: str, expected: str | None) -> None:
    assert clean(page(f"<p>{PROSE}</p>", f"<title>{title}</title>").encode()).metadata["title"] == expected


def test_named_elements() -> None:
    body = (
        f"<h1>大桥通车</h1><div><span class='fl author'>周小舟</span><i class=source>江东日报</i></div><p>{PROSE}</p>"
    )
    source = page(body.replace("</span>", "</span><br>"), "<title>大桥通车</title>")
    found = clean(source.encode()).metadata
    assert found["authors"] == ["周小舟"]
    assert found["source"] == "江东日报"


def test_plain() -> None:
    assert html_metadata.plain("山<b>河</b>&amp;<div>江</div>\\u4e1c\\/") == "山河& 江 东/"


# ---- MHTML


def archive(transfer: str, body: str, kind: str = "text/html") -> bytes:
    return (
        "From: <Saved by a browser>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="=_b"\r\n\r\n'
        "--=_b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
        f"--=_b\r\nContent-Type: {kind}; charset=gb2312\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
        f"{body}\r\n--=_b--\r\n"
    ).encode()


def test_archive_in_base64_of_another_encoding() -> None:
    body = base64.encodebytes(page(f"<p>{PROSE}</p>").encode("gb18030")).decode().replace("\n", "\r\n")
    raw = archive("base64", body)
    document = clean(raw)
    assert document.quarantine is None
    assert document.text == PROSE
    assert [one.cleaner for one in document.trail][:2] == ["mhtml", "extraction"]
    assert restored(document) == raw


def test_archive_with_its_page_as_it_is() -> None:
    raw = archive("8bit", page(f"<p>{PROSE}</p>"))
    assert clean(raw).text == PROSE


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (archive("8bit", "没有网页", "text/plain"), "unsupported_format"),
        (archive("base64", "===="), "empty"),
        (archive("quoted-printable", "=FF=FF=FF=FF" * 50), "undecodable"),
    ],
)
def test_archives_without_a_page(raw: bytes, kind: str) -> None:
    document = clean(raw)
    assert document.quarantine is not None
    assert document.quarantine.kind == kind
    assert restored(document) == raw


# ---- properties and hostile pages

PIECES = [
    "<p>", "</p>", "<div class='a'>", "</div>", "<br>", "<a href=x>",
    "</a>", "<table>", "<tr>", "<td>", "</td>", "</table>",
    "<!--", "-->", "<script>", "</script>", "<title>", "</title>", "<b",
    ">", "<", "&lt;", "&#65;", "&nbsp;", "&", " ", "\n",
    "\t", "山河。", PROSE, "<div hidden>", "<li>", "</ul>", "<pre>",
    "</pre>", "<meta name=author content='张三'>", '"', "'",
    "2021-05-06 08:30 来源：江东日报", "\0", "\ud800", "<select>", "<![CDATA[", "<h1>大桥通车</h1>", "\u3000", "x",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_page_can_be_undone(pieces: list[str]) -> None:
    source = "<html><body>" + "".join(pieces)
    try:
        edits = list(extraction.propose(source, Config()))
    except RefusedError:
        return
    text = apply(source, edits)
    assert undo(text, edits) == source
    assert text.strip()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_pages_come_to_rest_and_give_their_bytes_back(pieces: list[str]) -> None:
    raw = ("<!DOCTYPE html><html><body>" + "".join(pieces)).encode("utf-8", "surrogatepass")
    document = clean(raw)
    assert restored(document) == raw
    if document.quarantine is None:
        assert clean(document.text.encode("utf-8", "surrogatepass")).text == document.text


@pytest.mark.parametrize(
    "source",
    [
        "<html><body>" + "<div>" * 200_000 + "中文。",
        "<html><body>" + "<b><p>" * 20_000 + "中文。",
        "<html><body>中文。" + "<a " * 200_000,
        "<html><body>中文。" + '<a b="' * 100_000,
        "<html><body>中文。" + "<!-- a > b " * 50_000,
        "<html><body>中文。" + "<![CDATA[ a > b " * 50_000,
        "<html><body>" + "<table><tr><td>" * 20_000 + "中文。",
        "<html><body>" + "<select>" * 100_000 + "中文。",
        "<html><body>" + "<ul>" * 500 + "<li>" * 50_000 + "中文。",
        "<html><body>" + "</div>" * 200_000 + "中文。",
        "<html><body>" + "中文。" * 500_000,
        "<html><head><title>" + "题" * 500_000 + "</title><body>中文。",
        "<html><body>" + "&" * 300_000 + "中文。",
        "<html><body><section><table><tr><td>" + "<div>" * 50_000 + "</section>" * 50_000 + "中文。",
        "<html><body>" + "<p>来源：新华社 2020-01-01</p>" * 20_000 + "<p>中文。",
    ],
    ids=range(15),
)
def test_hostile_pages_end(source: str) -> None:
    assert "中文。" in extracted(source)


def test_a_deep_page_is_not_given_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(source: str) -> str:
        raise AssertionError("asked")

    monkeypatch.setattr("cleaners.html_region._library_text", forbidden)
    page = f"<div>{PROSE}</div><p>河"
    assert extracted("<html><body>" + "<div>" * 5_000 + page) == PROSE + "\n河"
    with pytest.raises(AssertionError, match="asked"):
        extracted("<html><body>" + page)
    assert extracted(f"<html><body>{PROSE}<p>河") == PROSE + "\n河"  # both lines lie in the article's element


BURDENS = {
    "opened again and again": "".join(f'<p><font color="{i}">山' for i in range(3_000)),
    "the same in what nobody reads": "<svg>" + "".join(f'<p><font color="{i}">山' for i in range(3_000)) + "</svg>",
    "end tags of nothing": "<span>" * 20_000 + "</i>" * 20_000,
    "in a comment that ends early": "<!-- --!>" + "<span>" * 20_000 + "</i>" * 20_000 + "-->",
    "attributes": "<p" + "".join(f" a{i}" for i in range(20_000)) + ">",
    "options": "<select>" + "<option>山" * 20_000,
    "bodies": "".join(f"<body a{i}{'x' * 900}>" for i in range(900)),
    "deep": ("<div>" * 900 + "山" + "</div>" * 900) * 20,
}


@pytest.mark.parametrize("page", BURDENS)
def test_a_page_that_would_take_the_library_too_long_is_not_given_to_it(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def nothing(source: str) -> str:
        asked.append(source)
        return ""

    monkeypatch.setattr("cleaners.html_region._library_text", nothing)
    assert extracted(f"<html><body><div>{PROSE}</div><p>河</p>{BURDENS[page]}").startswith(PROSE)
    assert not asked


def test_an_odd_page_is_given_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nothing(source: str) -> str:
        asked.append(source)
        return ""

    monkeypatch.setattr("cleaners.html_region._library_text", nothing)
    unclosed = "<div>" + "".join(f'<p><font color="{i}">{PROSE}' for i in range(60)) + "</div><p>河"
    assert html_source.read(f"<html><body>{unclosed}").odd
    extracted(f"<html><body>{unclosed}")
    assert len(asked) == 1


def test_a_stray_end_tag_in_a_cell_closes_nothing_outside_it() -> None:
    read = html_source.read("<section><table><tr><td><div>山</section>河</div>水</td></tr></table>江</section>海")
    names = [read.elements.names[line.element] for line in read.lines]
    assert names == ["div", "div", "td", "section", ""]


def test_tags_with_quotes_and_signs_in_them() -> None:
    source = '<a title="a > b" href=\'x"y\'>山</a><p class=x">河'
    read = html_source.read(source)
    assert [source[run.start : run.end] for line in read.lines for run in line.runs] == ["山", "河"]
