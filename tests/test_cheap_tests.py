"""Cheap tests: what a search for a few characters rules out is what the slow look would not have found."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import Config, Edit, about_rows, dates, layout, names, prose, rule_files
from cleaners.flags import _EMPTY_QUOTES

PIECES = (
    *(
        "本报记者",
        "記者",
        "通訊員",
        "实习生",
        "评论员",
        "編輯部",
        "作者：",
        "专栏作家",
        "主笔",
        "撰稿人",
        "文/图",
        "文·",
    ),
    *(
        "攝影",
        "口述",
        "漫画",
        "制图",
        "编译",
        "採寫",
        "供稿",
        "整理",
        "□",
        "●",
        "张三",
        "周一鸣",
        "李 四",
        "，",
        "。",
        "（",
    ),
    *(
        "）",
        "[",
        "］",
        " ",
        "\u3000",
        "来源：",
        "2019-10-08 10:20",
        "山河日报",
        "丨",
        "阅读(12)",
        "…",
        "!",
        "责任编辑：王小川",
    ),
)
WITH_PATTERN = [rule for rule in rule_files.load("chrome") if rule.pattern]
LINES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


@given(LINES)
def test_a_byline_has_one_of_its_signs(line: str) -> None:
    if names._is_byline(line) and line.rstrip()[-1:] not in names._SENTENCE_MARKS:
        assert names._BYLINE_SIGNS.search(line)
    remembered = names.is_byline(line)
    assert names.is_byline(line) == remembered
    assert remembered == (line.rstrip()[-1:] not in names._SENTENCE_MARKS and names._is_byline(line))


@given(LINES)
def test_words_in_traditional_script_have_one_of_their_signs(line: str) -> None:
    assert all(names._TRADITIONAL_SIGNS.search(word) for word in names._TRADITIONAL)
    written = names._POINT.sub(r"\1/", " ".join(line.translate(names._WIDTH).split()))
    simplified = names._TRADITIONAL_WORDS.sub(lambda match: names._TRADITIONAL[match[0]], written)
    assert names._flat(line) == (written, simplified)


@given(LINES)
def test_names_in_brackets_have_one_of_their_signs(line: str) -> None:
    flat = names._flat(line[:120])[1]
    if names._IN_LEAD.search(flat) or names._REPORTS.search(flat[: names.LONGEST_DATELINE]):
        assert names._LEAD_SIGNS.search(line, 0, 120)
    end = line[-60:]
    if names._AT_END.search(names._flat(end)[1]):
        assert end.rstrip()[-1:] in names.CLOSING


NAMES = st.lists(
    st.sampled_from((*"张王李和摄文馆了们谢会家三四", " ", "、", "，", "图书馆", "摄影", "周一鸣")), max_size=9
)


@given(NAMES.map("".join))
def test_plain_names_have_nothing_that_the_slow_look_takes_off(text: str) -> None:
    if names._is_plain(text):
        found = names._SPLIT.split(text)
        assert not names._TAIL.search(text)
        assert names._ASIDE.sub("", text) == text == names._unwrapped(text)
        assert not names._NO_NAME.match(text)
        assert not names._IN_NO_NAME.search(text)
        assert names._spaced_names(list(found)) == found
        assert all(map(names._NAME.fullmatch, found))
        assert not names._DEPARTMENT.fullmatch(found[0])
        assert not any(map(names._NO_NAME.match, found))


@given(LINES)
def test_functions_are_found_by_their_signs(line: str) -> None:
    flat = names._flat(line)[1]
    found = []
    at = 0
    while match := names._function(flat, at):
        found.append(match.span())
        at = match.end()
    assert found == [match.span() for match in names._FUNCTION.finditer(flat)]


@given(LINES)
def test_authors_that_are_remembered_are_not_shared(line: str) -> None:
    first = names.authors(line)
    first.append("一")
    assert names.authors(line) == first[:-1]


def test_no_digit_is_passed_over_where_rows_are_cut_into_tokens() -> None:
    digits = [chr(code) for code in range(0x110000) if chr(code).isdigit()]
    assert all(map(about_rows._MAY_BEGIN.match, [*digits, *about_rows._DATE_STARTS, *about_rows._SEPARATORS]))


@given(LINES)
def test_rows_of_functions_and_names_hold_a_function_of_those_who_produce(line: str) -> None:
    folded = rule_files.fold(line).strip()
    tables = about_rows._tables()
    words = [match[0] for match in about_rows._STAFF_WORD.finditer(folded)]
    functions = [tables.rules[found[1]] for word in words if (found := tables.function.match(word))]
    if any(rule.name in about_rows._PRODUCTION for rule in functions):
        assert tables.production.search(folded)


@given(st.lists(st.sampled_from((*"年月日12908-/., 〇一九十", "民国", "Jan", "20", "19")), max_size=12).map("".join))
def test_dates_are_looked_for_in_all_forms_that_may_match(text: str) -> None:
    likely = dates._likely_forms(text)
    assert all(form in likely for forms in dates._forms() for form in forms if form.search(text))


@given(LINES, st.sampled_from(("top", "head", "inside", "tail")))
def test_a_line_that_cannot_tell_is_never_taken(line: str, place: str) -> None:
    if line.strip() and not about_rows.may_tell(line):
        assert about_rows.take(line, place) is None


@given(st.text("“”‘’「」『』《》一", max_size=12))
def test_empty_quotes_are_found_in_one_search(text: str) -> None:
    pairs = ("“”", "‘’", "「」", "『』", "《》")
    places = [i for i in range(len(text)) if text.startswith(pairs, i)]
    assert [match.start() for match in _EMPTY_QUOTES.finditer(text)] == places


@given(
    st.lists(st.text("版权所有转载", min_size=1, max_size=4), min_size=1, max_size=8),
    st.text("版权所有转载。", max_size=20),
)
def test_phrases_are_found_longest_first(phrases: list[str], line: str) -> None:
    found = rule_files._any_of(phrases)
    assert found is not None
    match = found.search(line)
    at = next((i for i in range(len(line)) if line.startswith(tuple(phrases), i)), -1)
    if match is None:
        assert at < 0
    else:
        assert match.start() == at
        assert match[0] == max((one for one in phrases if line.startswith(one, at)), key=len)


@given(st.lists(st.text("一二，、。 !…：\t", max_size=70), max_size=6))
def test_a_row_is_prose_by_its_size_its_comma_and_its_end(lines: list[str]) -> None:
    for row in prose.read("\n".join(lines)).rows:
        bare = row.text.strip()
        comma = any(mark in bare for mark in "，,、")
        ends = bare[-1] in prose._ENDS
        long_enough = len(bare) >= 30 or comma or prose._STOP.search(bare) is not None
        is_prose = len(bare) >= prose.SHORTEST_PROSE and (
            long_enough if ends else comma and len(bare) >= prose.LONG_ROW
        )
        assert row.score == (min(len(bare), prose.MOST_CREDIT) if is_prose else -prose.GAP_COST)


def test_pages_are_remembered_as_long_as_they_are_few() -> None:
    prose._lately.cache_clear()
    page = prose.read("桥修好了。")
    assert prose.read("桥修好了。") is page
    for number in range(3):
        prose.read("桥。\n" * (prose._lately.MOST // (prose._lately.ROW + 3) - 10) + f"{number}")
        assert prose._lately.size <= prose._lately.MOST
        assert (prose._lately.get("桥修好了。") is page) == (number < 2)  # on one of both shelves
    assert prose.read("桥修好了。") == page
    assert prose.read("桥修好了。") is not page
    prose.read("桥。\n" * prose._lately.MOST)  # more than all
    assert len(prose._lately.pages) == 1
    prose.release()
    assert not prose._lately.pages
    prose.read("桥修好了。")
    prose.release()
    assert prose._lately.pages


@given(st.text("\n\n\n \u3000\t\r\x1f\u2028a甲", max_size=20))
def test_gaps_are_what_a_search_for_space_finds(text: str) -> None:
    expected = []
    for space in re.finditer(r"\s+", text):
        start, end = space.span()
        if start == 0 or end == len(text):
            expected.append(Edit(start, space[0], "", "layout.margin"))
        elif "\n" in space[0] and space[0] != "\n\n":
            expected.append(Edit(start, space[0], "\n\n", "layout.paragraph_gap"))
    assert list(layout.propose(text, Config())) == expected


def test_a_text_may_hide_another_that_begins_inside_of_it() -> None:
    needed = rule_files._Needed({1: frozenset(["一二"]), 2: frozenset(["二三", "四"]), 3: frozenset(["二", "五"])})
    assert needed.search("零一二三") == ["一二"]
    assert needed.needing["一二"] == {1, 2, 3}
    assert needed.needing["四"] == {2}


@pytest.mark.parametrize(
    ("pattern", "end"),
    [("一[二三]", "[二三]"), ("一(?:二|三四?)", "[二四三]"), (r"一\d*", r"[\d一]"), ("一.*", None), ("一?", None)],
)
def test_what_a_match_of_a_pattern_ends_with(pattern: str, end: str | None) -> None:
    found = rule_files._last_character(PARSE(pattern))
    assert (found and found.pattern) == end


EXAMPLES = [rule_files.fold(example) for rule in WITH_PATTERN for example in rule.removes]
PATTERNS = rule_files.Patterns(WITH_PATTERN)
PARSE = vars(rule_files)["parser"].parse


@settings(deadline=None)
@given(st.lists(st.sampled_from((*EXAMPLES, "。", ",", " ", "一" * 70)), min_size=1, max_size=4).map("".join))
def test_rules_are_found_as_if_all_were_tried(line: str) -> None:
    folded = line.strip()
    expected = next((rule for rule in WITH_PATTERN if folded and rule.compiled.fullmatch(folded)), None)
    assert PATTERNS.find(folded) == expected


def test_patterns_that_cannot_hold_a_full_stop_match_no_line_with_one() -> None:
    trees = [PARSE(rule.pattern) for rule in WITH_PATTERN]
    without = [rule for rule, tree in zip(WITH_PATTERN, trees, strict=True) if not rule_files._may_hold(tree, "。")]
    assert 0 < len(without) < len(WITH_PATTERN)
    for rule in without:
        for example in map(rule_files.fold, rule.removes):
            for place in range(len(example) + 1):
                assert not rule.compiled.fullmatch(f"{example[:place]}。{example[place:]}")


@pytest.mark.parametrize(
    ("pattern", "may_hold"),
    [
        ("一[。a]b", True),
        ("一[^a]b", True),
        ("一[^。]b", False),
        (r"\d(?:一|\S)", True),
        (r"\w\s\d", False),
        ("[一-龥]{2,5}(?=。)", False),
        ("a.b", True),
        ("(?>a。)?", True),
        ("a(?P<b>[、-〃])", True),
    ],
)
def test_what_a_pattern_may_hold(pattern: str, may_hold: bool) -> None:
    assert rule_files._may_hold(PARSE(pattern), "。") == may_hold


def test_no_line_and_no_word_of_a_rule_holds_a_full_stop() -> None:
    rules = rule_files.load("chrome")
    assert not any(rule_files.STOP in text for rule in rules for text in (*rule.line, *rule.words))
