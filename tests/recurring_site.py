"""Pages of a made site, and runs that clean them with what recurs: no Prefect, the real cleaners."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from corpus_samples import START

from cleaners import PIPELINE, Cleaner, Config, Draft, fingerprint, select
from corpus import recurring
from corpus.seeds import Read, read_all, scan
from corpus.store import Staged, Store, Version, are_staged, batches

NAVIGATION = ["网站首页", "山乡要闻", "渡口人家", "茶园四季", "老街旧事", "书院讲堂"]
FOOTER = ["山乡服务台", "渡口留言板", "合作伙伴名录", "返回顶部", "版权所有 山乡在线"]
SUBJECTS = (
    *("船工", "茶农", "老师", "木匠", "店主", "学生", "医生", "邮差", "厨师", "教练"),
    *("画家", "歌手", "渔民", "果农", "石匠", "瓦工", "裁缝", "司机", "护士", "演员"),
)
DEEDS = (
    "把多年攒下的手艺写成一本小册子，送给愿意学的年轻人，逢人便讲里面的门道",
    "天不亮就出门，赶在早市之前把东西备齐，回来时街上才刚刚有人走动",
    "在院子里种了两畦青菜，吃不完的就分给左邻右舍，大家都说味道好",
    "参加了乡里办的夜校，连着三个月没有缺过一堂课，记满了两个本子",
    "修好了村口那座旧桥的栏杆，没有要一分钱，只说走的人多了总得有人管",
    "攒钱买了一台旧相机，把山里一年四季的样子都拍了下来，贴满一面墙",
    "和邻村的同行比了一场手艺，输了也不恼，约好明年秋天再来一回",
    "收了两个徒弟，头一年只让他们扫地看门，第二年才肯教真本事",
)


def article(number: int) -> list[str]:
    """The paragraphs of an article; no two numbers have one in common."""
    draw = random.Random(number)
    return [
        f"{draw.choice(SUBJECTS)}和{draw.choice(SUBJECTS)}去年第{number + 1}回见面，{draw.choice(SUBJECTS)}{deed}。"
        for deed in draw.sample(DEEDS, 4)
    ]


def headline(number: int) -> str:
    draw = random.Random(number)
    return f"{draw.choice(SUBJECTS)}与{draw.choice(SUBJECTS)}的{draw.choice('春夏秋冬')}天故事"


def page(
    number: int, head: Iterable[str] = NAVIGATION, tail: Iterable[str] = FOOTER, copy_of: int | None = None
) -> str:
    """A page of the site: its frame around an article."""
    body = article(number if copy_of is None else copy_of)
    return "\n".join([*head, headline(number), *body, *tail]) + "\n"


def build(
    root: Path,
    output: Path,
    config: Config | None = None,
    pipeline: tuple[Cleaner, ...] = PIPELINE,
    max_bytes: int = 1 << 20,
    stop_after: int | None = None,
) -> tuple[Version | None, list[str]]:
    """One run, and the ids that it cleaned.  With `stop_after` it ends, as if it were killed, after so many batches."""
    config = config or Config()
    pipeline = select(config, pipeline)
    store = Store(output)
    cleaned: list[str] = []
    with store.writer_lock():
        found, of = scan(root, config.max_seed_bytes), fingerprint(config)
        survey = recurring.look(root, found, of, store.latest(), config)
        plan = store.plan(found, of, survey)
        staging = store.staging(of)
        staged = staging.finished(plan)
        for number, batch in enumerate(batches(plan.to_clean, max_bytes, done=are_staged(plan, staged))):
            if number == stop_after:
                return None, cleaned
            documents = []
            applied = survey.applied(batch)
            for one in read_all(root, batch):
                assert isinstance(one, Read)
                own = replace(config, recurring=applied.get(one.name, frozenset()))
                draft = Draft(one.raw, one.name, own, one.record)
                for cleaner in pipeline:
                    draft.advance(cleaner, own)
                documents.append(draft.finish(own, draft.settle(own, pipeline)))
                cleaned.append(one.name)
            staged.append(staging.write(documents, (), {id: recurring.mark(keys) for id, keys in applied.items()}))
        return store.commit(plan, staged, {"code": "0"}, START, survey=survey), cleaned


__all__ = ["FOOTER", "NAVIGATION", "Staged", "article", "build", "headline", "page"]
