"""How well and how fast near-duplicate documents are found.

    python -m benchmarks.near_duplicates [--json FILE] [--documents N]

Quality: pieces of the five seeds and forms written for this purpose, changed as reprints are (other punctuation,
damaged characters, cuts, additions) and as look-alikes are (other numbers, other names), with a fixed seed of the
random numbers.  A pair is found when both end in one cluster, among all the other texts of its kind.

Speed: CPU time of one core for N documents (100,000) of 2 KB; text as in benchmarks/duplicates.py, each tenth a
reprint; and for N copies of one text, N fillings of one form.  Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks.duplicates import prose
from cleaners import clean
from corpus import clusters
from corpus import near_duplicates as nd

SEEDS = Path(__file__).parent.parent / "seeds"
PIECE = 600
"""Letters in a piece of a seed, about."""

FORMS = (
    "关于{a}同志任职的公示。根据干部选拔任用工作有关规定，经研究，拟任命{a}为{b}局局长，现予公示。公示时间为{m}月{d}日至{m}月{e}日，"
    "如有意见请在公示期内以书面或电话方式向组织部门反映，联系电话{n}。反映情况要实事求是，应当签署真实姓名，便于调查核实。",
    "{b}区气象台{m}月{d}日{h}时发布天气预报：今天夜间到明天白天晴转多云，偏北风{k}级，最高气温{d}度，最低气温零下{k}度，"
    "相对湿度百分之{n}，请市民注意防寒保暖，出行留意路面结冰，驾驶人员减速慢行，保持安全车距。",
    "寻物启事。本人{a}于{m}月{d}日在{b}路公交车上遗失黑色手提包一个，内有身份证、驾驶证、银行卡若干，请拾到者与本人联系，"
    "必有重谢。联系人{a}，电话{n}。同时声明上述证件自登报之日起作废，由此产生的一切责任与本人无关。",
    "{b}县人民法院公告。{a}：本院受理原告诉你民间借贷纠纷一案，现依法向你公告送达起诉状副本、应诉通知书、举证通知书及开庭传票。"
    "自发出本公告之日起经过六十日即视为送达，举证期限为送达后十五日内，并定于举证期满后第三日上午{h}时在本院第{k}法庭公开开庭审理。",
    "停电通知。因{b}变电站设备检修，定于{m}月{d}日{h}时至{e}时对{b}线路停电，停电范围包括{b}小区、{b}市场及周边商户，"
    "请相关用户提前做好准备，由此带来的不便敬请谅解。检修工作完成后将提前恢复送电，不再另行通知。服务热线{n}。",
)
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫", "伟芳娜敏静丽强磊洋艳勇军杰娟涛明超霞平刚"
PLACES = ("东河", "西林", "南湖", "北岭", "青山", "白沙", "红旗", "金川", "石桥", "柳园", "松山", "清水")


def pieces() -> list[str]:
    """The seeds' clean text in pieces of some paragraphs, no two of which share a sentence."""
    found: list[str] = []
    for path in sorted(SEEDS.glob("*.txt")):
        block = ""
        for sentence in re.findall(r"[^。]*。", clean(path.read_bytes()).text):
            block += sentence
            if len(block) >= PIECE:
                found.append(block)
                block = ""
    return found


def filled(form: str, random: Random) -> str:
    """The form with numbers and names."""
    day = random.randrange(1, 24)
    return form.format(
        a=random.choice(SURNAMES) + random.choice(GIVEN) + random.choice(GIVEN),
        b=random.choice(PLACES),
        m=random.randrange(1, 13),
        d=day,
        e=day + random.randrange(1, 7),
        h=random.randrange(8, 18),
        k=random.randrange(1, 9),
        n=random.randrange(10_000_000, 99_999_999),
    )


def damaged(text: str, share: float, random: Random) -> str:
    """Each character replaced, doubled or lost with this chance."""
    han = (
        "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多"
    )
    return "".join(random.choice((random.choice(han), c + c, "")) if random.random() < share else c for c in text)


def reworded(text: str, share: float, random: Random) -> str:
    """Words of two characters in so many places replaced by others of the text, as an editor would."""
    found = list(text)
    for _ in range(max(1, int(len(text) * share / 2))):
        place, other = random.randrange(len(text) - 2), random.randrange(len(text) - 2)
        found[place : place + 2] = text[other : other + 2]
    return "".join(found)


def other_numbers(text: str, random: Random, most: int = 1_000) -> str:
    """Up to so many numbers replaced by others of the same length."""
    places = [match.span() for match in re.finditer(r"\d+", text)]
    random.shuffle(places)
    for start, end in places[:most]:
        new = text[start:end]
        while new == text[start:end]:
            new = "".join(random.choice("123456789") for _ in range(end - start))
        text = text[:start] + new + text[end:]
    return text


REPRINTS: dict[str, Callable[[str, str, Random], str]] = {
    "other punctuation": lambda text, other, random: re.sub("[，。、]", lambda m: random.choice(",.; "), text),
    "1 % of the characters": lambda text, other, random: damaged(text, 0.01, random),
    "2 % of the characters": lambda text, other, random: damaged(text, 0.02, random),
    "4 % of the characters": lambda text, other, random: damaged(text, 0.04, random),
    "8 % of the characters": lambda text, other, random: damaged(text, 0.08, random),
    "2 % reworded": lambda text, other, random: reworded(text, 0.02, random),
    "byline and editor": lambda text, other, random: (
        f"本报东河{random.randrange(1, 29)}日电 记者李明 {text} 责任编辑：王芳"
    ),
    "a third cut off": lambda text, other, random: text[: len(text) * 2 // 3],
    "a third added": lambda text, other, random: text + other[: len(text) // 3],
    "a sentence cut": lambda text, other, random: re.sub("。[^。]*。", "。", text, count=1),
}
LOOK_ALIKES: dict[str, Callable[[str, str, Random], str]] = {
    "all numbers other": lambda text, other, random: other_numbers(text, random),
    "one number other": lambda text, other, random: other_numbers(text, random, 1),
    "the same first half": lambda text, other, random: text[: len(text) // 2] + other[len(other) // 2 :],
}


class Quality(NamedTuple):
    """kind: of change; pairs: how many; together: how many are in one cluster."""

    kind: str
    reprint: bool
    pairs: int
    together: int


def comparer(
    texts: Sequence[str], signed: Sequence[nd.Signature | None]
) -> Callable[[Sequence[clusters.Pair]], list[float]]:
    """Compares texts by their letters."""
    of = {s.content: nd.letters(text) for s, text in zip(signed, texts, strict=True) if s}
    return lambda pairs: [nd.similarity(of[one], of[other]) for one, other in pairs]


def judged(texts: Sequence[str]) -> dict[str, clusters.Reprint]:
    """The reprints among texts; their ids are their places."""
    signed = nd.signatures(texts)
    entries = [clusters.Entry(f"{i:07}", None, s) for i, s in enumerate(signed) if s]
    return {one.id: one for one in clusters.clusters(entries, {}, comparer(texts, signed)).reprints}


def together(pairs: Sequence[tuple[str, str]]) -> int:
    """How many of the pairs are in one cluster, each among the first texts of all pairs."""
    found = judged([text for pair in pairs for text in pair])
    names = [found[f"{i:07}"].cluster if f"{i:07}" in found else None for i in range(2 * len(pairs))]
    return sum(a is not None and a == b for a, b in zip(names[::2], names[1::2], strict=True))


def quality(rounds: int = 10) -> Iterator[Quality]:
    """Each round has other changes of the same pieces; a pair is judged among the pairs of its round."""
    base = pieces()
    for reprint, kinds in ((True, REPRINTS), (False, LOOK_ALIKES)):
        for kind, change in kinds.items():
            random = Random(kind)
            count = right = 0
            for _ in range(rounds):
                pairs = [(text, change(text, base[i - 1], random)) for i, text in enumerate(base)]
                pairs = [(a, b) for a, b in pairs if a != b]
                count += len(pairs)
                right += together(pairs)
            yield Quality(kind, reprint, count, right)
    random = Random("forms")
    for number, form in enumerate(FORMS):
        pairs = [(filled(form, random), filled(form, random)) for _ in range(20 * rounds)]
        count = sum(together([pair]) for pair in pairs)
        yield Quality(f"form {number + 1} filled in twice", False, len(pairs), count)
    copies = [(text, damaged(text, 0.02, random)) for form in FORMS for text in (filled(form, random),) * 2 * rounds]
    yield Quality("a filled form, 2 % of the characters", True, len(copies), sum(together([pair]) for pair in copies))


class Speed(NamedTuple):
    """documents, megabytes of UTF-8, CPU seconds for signatures, clusters, and clusters after one addition;
    compared: pairs; reprints: documents in clusters, kept ones too."""

    corpus: str
    documents: int
    megabytes: float
    signing: float
    clustering: float
    adding: float
    compared: int
    reprints: int


def corpora(documents: int) -> Iterator[tuple[str, list[str]]]:
    """Name and texts."""
    random = Random(1)
    paragraphs = prose(documents * 5)
    texts = ["".join(paragraphs[i * 5 : i * 5 + 5])[:680] for i in range(documents)]
    for place in range(0, documents, 10):
        texts[place] = damaged(texts[place + 1], 0.02, random)
    yield "prose, each tenth a reprint", texts
    yield "one text", texts[:1] * documents
    yield "one form", [filled(FORMS[4], random) * 2 + texts[0][:400] for _ in range(documents)]
    yield "one text, damaged", [damaged(texts[1], 0.02, random) for _ in range(documents)]


def measure(name: str, texts: Sequence[str]) -> Speed:
    begin = time.process_time()
    signed = nd.signatures(texts)
    signing = time.process_time() - begin
    entries = [clusters.Entry(f"{i:07}", None, s) for i, s in enumerate(signed) if s]
    similarities = comparer(texts, signed)
    count = 0

    def compare(pairs: Sequence[clusters.Pair]) -> list[float]:
        nonlocal count
        count += len(pairs)
        return similarities(pairs)

    begin = time.process_time()
    found = clusters.clusters(entries[:-1], {}, compare)
    clustering = time.process_time() - begin
    first = count
    begin = time.process_time()
    clusters.clusters(entries, found.compared, compare)
    adding = time.process_time() - begin
    size = sum(len(text.encode()) for text in texts) / 1e6
    return Speed(name, len(texts), size, signing, clustering, adding, first, len(found.reprints))


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality and speed of the search for near-duplicate documents.")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--documents", type=int, default=100_000, help="documents for the speed; 0: quality only")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"quality": [], "speed": []}
    print(f"{'change':40}{'pairs':>7}{'in one cluster':>16}")
    for one in quality():
        result["quality"].append(one._asdict())
        print(f"{one.kind:40}{one.pairs:>7}{one.together / one.pairs:>16.3f}{'' if one.reprint else '  look-alikes'}")
    sums = {
        r: [sum(q[k] for q in result["quality"] if q["reprint"] is r) for k in ("pairs", "together")]
        for r in (True, False)
    }
    right, wrong = sums[True][1], sums[False][1]
    result["recall"], result["precision"] = right / sums[True][0], right / (right + wrong)
    print(f"recall {result['recall']:.4f}, precision {result['precision']:.4f}")
    if arguments.documents:
        print(
            f"\n{'corpus':30}{'documents':>10}{'MB':>7}{'signing s':>11}{'MB/s':>7}{'clusters s':>12}{'one more s':>12}"
            f"{'compared':>10}{'clustered':>10}"
        )
        for name, texts in corpora(arguments.documents):
            s = measure(name, texts)
            result["speed"].append(s._asdict())
            print(
                f"{s.corpus:30}{s.documents:>10,}{s.megabytes:>7.0f}{s.signing:>11.2f}{s.megabytes / s.signing:>7.1f}"
                f"{s.clustering:>12.2f}{s.adding:>12.2f}{s.compared:>10,}{s.reprints:>10,}",
                flush=True,
            )
        result["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"peak memory {result['peak_megabytes']:.0f} MB, the texts included")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
