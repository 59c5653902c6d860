"""The headline of a page: which row it is where the page's own frame is left above it."""

from cleaners import Config, clean, recurrence

TITLE = "荒塘清淤种莲藕 村民散步有了好去处"
PROSE = [
    "今年入夏以来，沿河的几个村子把荒了多年的水塘重新清淤，种上莲藕，傍晚散步的人比往年多了一倍。",
    "村支书说，清淤的钱一半来自县里的奖补，一半是村民自己凑的，谁家出了多少工，都写在村口的红榜上。",
]
STRANGE = ["莲乡志", "人物志", "风土记", "旧照片", "荷塘讲堂", "乡音馆"]
FOOTER = ["关于我们 | 联系我们 | 网站地图", "版权所有 莲乡志编辑室"]


def title(*lines: str, config: Config | None = None) -> object:
    return clean("\n".join(lines).encode(), config=config).metadata["title"]


def test_below_a_navigation_that_no_rule_knows() -> None:
    assert title(*STRANGE, TITLE, *PROSE, *FOOTER) == TITLE
    assert title(*STRANGE, TITLE, "2021-08-03", *PROSE, *FOOTER) == TITLE


def test_below_the_name_of_a_site() -> None:
    for name in ("莲乡在线", "莲乡新闻网", "新闻中心", "欢迎光临", "导航", "要闻 时政"):
        assert title(name, TITLE, *PROSE) == TITLE, name


def test_below_what_was_taken_out_for_sure() -> None:
    """Rows above a login stand in the page's frame, also where there is no prose to tell it from."""
    verse = ["去年冬天", "雪下在塘里", "没有声音", "鱼在冰下"]
    assert title("松果站", "林间", "登录", "短歌", *verse) == "短歌"


def test_a_short_headline_above_verse_stays_the_headline() -> None:
    verse = ["你说", "雨是天空", "写给大地的信", "每一封", "都没有署名"]
    assert title("雨的来信", *verse, *PROSE) == "雨的来信"
    assert title("雨的来信", *verse, *FOOTER) == "雨的来信"


def test_not_clear() -> None:
    """Nothing but short rows of one kind: any of them may be left of the page's frame."""
    assert title("渡口", "石桥", "榆树", "旧井", *PROSE, *FOOTER) is None


def test_a_line_that_recurs_is_none() -> None:
    keys = frozenset([recurrence.key("莲乡人家", recurrence.HEAD)])
    config = Config(recurring=keys)
    assert title("莲乡人家", TITLE, *PROSE) == "莲乡人家"
    assert title("莲乡人家", TITLE, *PROSE, config=config) == TITLE


def test_questions_are_no_headlines() -> None:
    rows = ["问：图书证怎么办？", "答：带身份证到一楼。", "问：要押金吗？", "答：不要。"]
    assert title("借书问答", *rows, "返回首页") == "借书问答"
