"""What worker processes need, loaded: the fork server imports this module (flows/fork_server.py), nothing else does."""

from .loading import undisturbed, without_pandas

SAMPLE = "手机版\n\n近日,记者从有关部门了解到:“路修好了,出行方便了。”村民们高兴地说。\n\n发布时间:2014年03月04日\n" * 2

with undisturbed():
    without_pandas()

    from cleaners import clean

    from . import batch  # noqa: F401

    clean(SAMPLE.encode(), "sample.txt")  # tables and rules are loaded when they are first used
