from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaners.dates import LONGEST, find, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014年03月04日 17:26", "2014-03-04T17:26:00+08:00"),
        ("25.11.2019  05:43", "2019-11-25T05:43:00+08:00"),
        ("2023-09-14 15:36", "2023-09-14T15:36:00+08:00"),
        ("二〇二三年九月十四日", "2023-09-14"),
        ("一九九八年十二月三十一日", "1998-12-31"),
        ("二○○八年十月二十日", "2008-10-20"),
        ("20191103", "2019-11-03"),
        ("2020年5月6日下午3时25分", "2020-05-06T15:25:00+08:00"),
        ("2020年5月6日 中午12点", "2020-05-06T12:00:00+08:00"),
        ("2020年5月6日凌晨12点半", "2020-05-06T00:30:00+08:00"),
        ("2020年5月6日 星期三 晚上8点", "2020-05-06T20:00:00+08:00"),
        ("2005年09月07日 11:57 PM", "2005-09-07T23:57:00+08:00"),
        ("民国二十五年三月一日", "1936-03-01"),
        ("民国元年1月1日", "1912-01-01"),
        ("２０１４年３月４日", "2014-03-04"),
        ("2020-10-04T20:30:11Z", "2020-10-04T20:30:11+00:00"),
        ("2020-10-04T20:30:11.123+0900", "2020-10-04T20:30:11+09:00"),
        ("Oct 4, 2020", "2020-10-04"),
        ("2019-09-0511:10", "2019-09-05T11:10:00+08:00"),
        ("发布时间：2010/5/6 来源：山河网", "2010-05-06"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert parse(text, "+08:00") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3小时前",
        "昨天 12:30",
        "刚刚",
        "10-08 12:00",
        "5月6日",
        "2023年9月",
        "2005年02月30日",
        "2023-02-29",
        "13800138000",
        "12.31.2019",
        "三月十五日",
        "比分 3:2",
        "20191399",
        "民国",
        "9999年1月1日",
        "2020年13月1日",
    ],
)
def test_no_full_date(text: str) -> None:
    assert parse(text, "+08:00") == ""


def test_the_timezone_is_used_only_where_none_is_given() -> None:
    assert parse("2020-10-04 20:30", "-05:00") == "2020-10-04T20:30:00-05:00"
    assert parse("2020-10-04 20:30 GMT", "-05:00") == "2020-10-04T20:30:00+00:00"


def test_find_tells_where() -> None:
    found = find("时间:2020年5月6日 9:30 北京")
    assert found is not None
    assert "时间:2020年5月6日 9:30 北京"[found[3] : found[4]].strip() == "2020年5月6日 9:30"


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_in_three_forms(day: date) -> None:
    iso = str(day)
    year, month, number = iso.split("-")
    for text in (iso, f"{year}年{int(month)}月{int(number)}日", f"{number}.{month}.{year}"):
        assert parse(text, "+08:00") == iso


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    result = parse(text, "+08:00")
    assert result == "" or result[4] == "-"


def test_long_texts_are_no_dates() -> None:
    assert parse("2020年" * LONGEST, "+08:00") == ""
