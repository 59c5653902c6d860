"""Likely halves: the cheap tests leave out nothing that the model would join, and agree with what they stand for."""

import math
import re
from itertools import chain
from re import _parser as parser  # type: ignore[attr-defined]

import opencc
import pytest
from cut_lines import LINES
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import hard_wraps, joint_language, joints, line_splits
from cleaners.hard_wraps import Unit, units
from cleaners.joint_choices import FirstHalves, log_odds
from cleaners.joint_language import language, simplified
from cleaners.joints import FEATURES, KINDS, Joint, Side, Sides, candidates, evidence, features, shape_of, weights
from cleaners.likely_halves import likely_firsts
from cleaners.rule_files import _first_character
from cleaners.statistics import BOUNDARY, bigram_logprob, unigrams
from cleaners.statistics.joints import UNSEEN

PAGES = st.lists(st.sampled_from(LINES), min_size=1, max_size=12).map("\n".join)


ANY = dict.fromkeys(KINDS, -1e9)


def open_units(lines: list[Unit]) -> list[int]:
    return [i for i, line in enumerate(lines) if line.is_open]


def expected_utilities(lines: list[Unit]) -> dict[Joint, float]:
    """The features times the weights."""
    sides = Sides(lines)
    asked = candidates(lines, sides)
    rows = features(lines, sides, asked) if asked else ()
    return {joint: float(row @ weights(sides[joint.i].kind)) for row, joint in zip(rows, asked, strict=True)}


@settings(max_examples=300, deadline=None)
@given(PAGES)
def test_utilities_are_the_features_times_the_weights(page: str) -> None:
    lines = units(page)
    halves = FirstHalves()
    for _ in range(2):  # the second answer is the one that is remembered
        found = halves.utilities(lines, open_units(lines), shape_of(lines), ANY)
        assert dict(chain(*found.values())) == pytest.approx(expected_utilities(lines), abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(PAGES, PAGES)
def test_utilities_do_not_depend_on_what_was_asked_before(page: str, other: str) -> None:
    lines, others = units(page), units(f"{page}\n{other}")
    halves = FirstHalves()
    halves.utilities(lines, open_units(lines), shape_of(lines), ANY)
    found = halves.utilities(others, open_units(others), shape_of(others), ANY)
    assert dict(chain(*found.values())) == pytest.approx(expected_utilities(others), abs=1e-9)


@settings(max_examples=500, deadline=None)
@given(PAGES)
def test_no_first_half_that_could_be_joined_is_left_out(page: str) -> None:
    lines = units(page)
    found = FirstHalves().utilities(lines, open_units(lines), shape_of(lines), line_splits.LEAST)
    for joint, utility in expected_utilities(lines).items():
        assert joint.i in found or utility < line_splits.LEAST[Side(lines[joint.i].text).kind] + 1e-9


def test_headlines_are_left_out_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = units(
        "江上又添一座新桥\n橘子当天运到省城\n" + "\n".join(LINES[1:2] * 3) + "\n两岸人家隔江相望\n" + LINES[3]
    )
    assert len(open_units(lines)) > 2
    monkeypatch.setattr(FirstHalves, "_read", None)
    assert FirstHalves().utilities(lines, open_units(lines), shape_of(lines), line_splits.LEAST) == {}


def test_what_stands_as_it_stood_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = units("\n".join(LINES * 5))
    asked = spy_on(monkeypatch, FirstHalves, "_read")
    halves = FirstHalves()
    for _ in range(3):
        halves.utilities(lines, open_units(lines), shape_of(lines), ANY)
    places = [around for _, around, _ in asked]
    assert len(places) == len(set(places)) <= 3 * len(LINES)


def test_log_odds_are_those_against_the_other_joints_and_none() -> None:
    weight = [math.exp(1.0), math.exp(-2.0)]
    expected = [math.log(weight[0] / (1 + weight[1])), math.log(weight[1] / (1 + weight[0]))]
    assert log_odds([1.0, -2.0]) == pytest.approx(expected)


def test_no_kind_is_joined_below_the_least_odds() -> None:
    for kind, odds in line_splits.LEAST.items():
        assert odds <= min(line_splits.ACCEPTED[kind], line_splits.ACCEPTED_IF_CUT[kind])
    assert line_splits.LEAST["prose"] <= line_splits.ACCEPTED_AFTER_COMMA


def test_a_cut_bare_line_is_a_likely_first_and_a_headline_is_not() -> None:
    whole = "村里的果农也很高兴，今年的橘子可以当天运到省城。"
    assert likely_firsts(["各地群众踊跃参加志愿服", "务活动。", whole], [0]) == [0]
    assert likely_firsts(["江上又添一座新桥", whole, whole], [0]) == []


def test_language_of_a_joint_is_what_the_tables_say() -> None:
    def gain(first: str, second: str) -> float:
        return min(max(bigram_logprob(first, second) - float(unigrams()[ord(second)]), -5), 6)

    row = dict(zip(joint_language.FEATURES, language([("先后投入", "资金")])[0].tolist(), strict=True))
    expected = {
        "pair": gain("入", "资"),
        "ends_line": gain("入", BOUNDARY),
        "before_comma": gain("入", "，"),
        "before_stop": gain("入", "。"),
        "starts_line": gain(BOUNDARY, "资"),
        "after_comma": gain("，", "资"),
        "after_stop": gain("。", "资"),
        "first_two": float(unigrams()[ord("投")]) + bigram_logprob("投", "入"),
        "second_two": float(unigrams()[ord("资")]) + bigram_logprob("资", "金"),
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert row["pair_unlikely"] == min(row["pair"], 0)


def test_triples_of_traditional_characters_count_as_simplified_ones() -> None:
    columns = [joint_language.FEATURES.index(name) for name in ("triple_left", "triple_right", "first_two")]
    rows = language([("中國", "經濟"), ("中国", "经济")])[:, columns]
    assert rows[0].tolist() == rows[1].tolist()
    assert rows[0, 0] > UNSEEN


def test_simplified_forms_are_those_of_opencc() -> None:
    convert = opencc.OpenCC("t2s").convert
    for char in "國們於乾著語a，\n":
        assert chr(simplified()[ord(char)]) == convert(char)


def test_evidence_is_the_same_whatever_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(a[-2:], b[:2]) for a in LINES for b in LINES]
    expected = evidence(pairs)
    joints.forget()
    monkeypatch.setattr(joints, "MOST_REMEMBERED", 3)
    assert [evidence([pair])[0] for pair in pairs] == [pytest.approx(one) for one in expected]
    assert len(joints._EVIDENCE) <= 3


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="的a1 \t\u3000.…-=|{};:/<>_*·", min_size=1, max_size=12))
def test_every_odd_line_has_an_odd_mark(text: str) -> None:
    if hard_wraps.ODD_LINE.search(text):
        assert hard_wraps.ODD_SIGN.search(text)
    if joints.TABLE_LINE.search(text):
        assert hard_wraps.ODD_SIGN.search(text)


def test_all_white_space_is_an_odd_mark() -> None:
    assert all(hard_wraps.ODD_MARK.match(char) for char in map(chr, range(0x110000)) if re.match(r"\s", char))


@given(st.text(alphabet="甲乙摄影供图文/ ）)", min_size=1, max_size=8))
def test_every_credit_ends_as_credits_do(text: str) -> None:
    if joints.CREDIT.search(text):
        assert text[-1] in joints.CREDIT_ENDS


@pytest.mark.parametrize("role", re.findall("[\u4e00-\u9fff]{3,4}", line_splits.BYLINE_TAIL.pattern)[:8])
def test_every_second_half_of_a_byline_starts_as_they_do(role: str) -> None:
    assert role[0] in line_splits.BYLINE_TAIL_STARTS


def starts_of(pattern: str) -> set[str]:
    starts = _first_character(parser.parse(pattern))
    assert starts is not None
    return {char for char in map(chr, range(0x10000)) if starts.match(char)}


def test_bylines_and_captions_start_as_they_do() -> None:
    assert starts_of(joints.BYLINE.pattern.replace(r"\s*", "", 1)) == joints.BYLINE_STARTS  # no line begins with space
    assert starts_of(joints.CAPTION.pattern) == set(joints.CAPTION_STARTS)


@given(st.text(alphabet="0123456789:：/-.年月日 ", min_size=1, max_size=12))
def test_a_date_ends_as_dates_do(text: str) -> None:
    if joints.DATE_LINE.search(text):
        assert text[-1] == "日" or text[-1].isdigit()


@given(st.text(alphabet="的年a， 5", min_size=1, max_size=100))
def test_a_first_half_is_chinese_enough(text: str) -> None:
    end = text[-joints.LAST_CLAUSE :]
    if joints.HAN_ENOUGH.search(end):
        assert len(joints.HAN.findall(end)) >= joints.HAN_SHARE * len(end)


def test_features_stand_in_the_order_of_their_parts() -> None:
    parts = joints.Parts.of("prose")
    sizes = [len(part) for part in parts[2:-1]]
    assert sum(sizes) + 1 + len(joint_language.FEATURES) == len(FEATURES)
    assert parts.page == tuple(weights("prose")[FEATURES.index("page_open") :][:3])
