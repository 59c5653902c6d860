"""The scan of a seeds folder: every entry becomes a seed or a problem, and no id occurs twice."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus_samples import write_seeds

from cleaners import Seed
from corpus import seeds
from corpus.seed_list import SeedList
from corpus.seeds import SeedChangedError, SeedsError, read, scan

LIMIT = 1000


def kinds(root: Path) -> dict[str, str]:
    return {problem.id: problem.kind for problem in scan(root, LIMIT).problems}


def ids(root: Path) -> list[str]:
    return [seed.name for seed in scan(root, LIMIT).seeds]


def test_ids_are_sorted_relative_paths(tmp_path: Path) -> None:
    write_seeds(tmp_path, {"乙.txt": "2", "甲/丙/a b.txt": "3", "a.txt": "1", "a/z": "4", "名\n字": "5", "%E9": "6"})
    found = scan(tmp_path, LIMIT)
    assert [seed.name for seed in found.seeds] == sorted(["乙.txt", "甲/丙/a b.txt", "a.txt", "a/z", "名\n字", "%E9"])
    assert found.seeds[2] == Seed.of(b"4", "a/z")
    assert not found.problems
    assert [read(tmp_path, seed) for seed in found.seeds] == [b"6", b"1", b"4", b"2", b"5", b"3"]


def test_hidden_names_are_skipped(tmp_path: Path) -> None:
    write_seeds(tmp_path, {".half-written": "x", ".git/config": "x", "seen.txt": "x"})
    assert ids(tmp_path) == ["seen.txt"]


def test_the_corpus_may_lie_among_the_seeds(tmp_path: Path) -> None:
    write_seeds(tmp_path, {"a": "1", "output/corpus/part.bin": "2", "b/output/c": "3"})
    found = scan(tmp_path, LIMIT, tmp_path / "output")
    assert [seed.name for seed in found.seeds] == ["a", "b/output/c"]
    assert len(scan(tmp_path, LIMIT, tmp_path / "not there yet").seeds) == 3


def test_an_empty_folder_and_an_empty_file(tmp_path: Path) -> None:
    assert scan(tmp_path, LIMIT) == (SeedList(), (), {}, ())
    write_seeds(tmp_path, {"empty": ""})
    assert scan(tmp_path, LIMIT).seeds == (Seed.of(b"", "empty"),)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_no_folder_is_an_error(tmp_path: Path, name: str) -> None:
    write_seeds(tmp_path, {"file": "x"})
    with pytest.raises(SeedsError, match=name):
        scan(tmp_path / name, LIMIT)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_seeds(tmp_path, {"just": "x" * LIMIT})
    with open(tmp_path / "huge", "wb") as stream:
        stream.truncate(1 << 40)  # a sparse file: reading it would not end
    opened: list[str] = []
    open_it = seeds._open

    def noted(file: str) -> int:
        opened.append(os.path.basename(file))
        return open_it(file)

    monkeypatch.setattr(seeds, "_open", noted)
    found = scan(tmp_path, LIMIT)
    assert opened == [seed.name for seed in found.seeds] == ["just"]
    (problem,) = found.problems
    assert (problem.id, problem.kind, problem.size) == ("huge", "too_large", 1 << 40)
    assert "split it" in problem.reason


def test_a_file_that_grows_while_it_is_hashed_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_seeds(tmp_path, {"log": "x"})
    open_it = seeds._open

    def open_grown(file: str) -> int:
        with open(file, "ab") as stream:
            stream.truncate(LIMIT + 10)
        return open_it(file)

    monkeypatch.setattr(seeds, "_open", open_grown)
    assert kinds(tmp_path) == {"log": "too_large"}


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer, for ever
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
        os.symlink("/dev/zero", tmp_path / "device")
        found = scan(tmp_path, LIMIT)
    assert not found.seeds
    assert {p.id: p.reason.split(",")[0] for p in found.problems} == {
        "pipe": "a named pipe",
        "socket": "a socket",
        "device": "a character device",
    }
    assert {p.kind for p in found.problems} == {"unreadable"}


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "seeds"
    write_seeds(tmp_path, {"seeds/real": "1", "elsewhere/deep/x": "2"})
    (root / "link").symlink_to("real")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    assert ids(root) == ["folder/deep/x", "link", "real"]
    assert not kinds(root)


def test_a_loop_ends_in_quarantine(tmp_path: Path) -> None:
    write_seeds(tmp_path, {"a/b/x": "1"})
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "top").symlink_to(".")
    (tmp_path / "self").symlink_to("self")
    assert ids(tmp_path) == ["a/b/x"]
    assert kinds(tmp_path) == {"a/b/up": "loop", "top": "loop", "self": "unreadable"}


def test_links_between_folders_do_not_multiply(tmp_path: Path) -> None:
    root = tmp_path / "seeds"
    root.mkdir()
    for level in range(30):  # each folder leads twice to the next: 2**30 ways to the last
        here = tmp_path / f"level{level}"
        here.mkdir()
        for name in ("one", "two"):
            (here / name).symlink_to(tmp_path / f"level{level + 1}")
    write_seeds(tmp_path, {"level30/x": "1"})
    (root / "start").symlink_to(tmp_path / "level0")
    found = scan(root, LIMIT)
    assert len(found.seeds) == 1
    assert {problem.kind for problem in found.problems} == {"loop"}


def test_folders_below_folders_without_end(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):  # deeper than Python may recurse
            os.mkdir("d")
            os.chdir("d")
        Path("x").write_bytes(b"1")
    finally:
        os.chdir(here)
    found = scan(tmp_path, LIMIT)
    assert [seed.name for seed in found.seeds] == ["d/" * 1200 + "x"]
    os.system(f"rm -rf {tmp_path}/d")


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    (problem,) = scan(tmp_path, LIMIT).problems
    assert (problem.id, problem.kind) == ("gone", "unreadable")
    assert "leads nowhere" in problem.reason


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Root may read everything, so permission is refused by hand."""
    open_it, list_it = seeds._open, seeds._list

    def denied(function: object) -> object:
        def called(path: str) -> object:
            if os.path.basename(path) == name:
                raise PermissionError(13, "Permission denied")
            return function(path)  # type: ignore[operator]

        return called

    monkeypatch.setattr(seeds, "_open", denied(open_it))
    monkeypatch.setattr(seeds, "_list", denied(list_it))


@pytest.mark.parametrize("name", ["secret", "folder"])
def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_seeds(tmp_path, {"secret": "x", "folder/x": "x", "open": "x"})
    refuse(monkeypatch, name)
    found = scan(tmp_path, LIMIT)
    assert "open" in [seed.name for seed in found.seeds]
    (problem,) = found.problems
    assert (problem.id, problem.kind) == (name, "unreadable")
    assert problem.reason.startswith("permission denied: give")


def bad_name(root: Path, name: bytes, content: bytes = b"x") -> None:
    (root / os.fsdecode(name)).write_bytes(content)


def test_names_that_are_not_utf8_get_an_id_and_are_read(tmp_path: Path) -> None:
    bad_name(tmp_path, "党建.txt".encode("gbk"), b"1")
    (tmp_path / os.fsdecode(b"\xff\xfe")).mkdir()
    bad_name(tmp_path / os.fsdecode(b"\xff\xfe"), b"ok", b"2")
    found = scan(tmp_path, LIMIT)
    assert [seed.name for seed in found.seeds] == ["%B5%B3%BD%A8.txt", "%FF%FE/ok"]
    assert [read(tmp_path, seed) for seed in found.seeds] == [b"1", b"2"]
    assert not found.problems


def test_an_escaped_name_never_takes_the_id_of_a_real_one(tmp_path: Path) -> None:
    bad_name(tmp_path, b"a\xe9", b"bad")
    bad_name(tmp_path, b"a%E9", b"real")
    bad_name(tmp_path, b"%E9\xe9", b"both")
    found = scan(tmp_path, LIMIT)
    assert [seed.name for seed in found.seeds] == ["a%E9"]
    assert read(tmp_path, found.seeds[0]) == b"real"
    assert {problem.id: problem.kind for problem in found.problems} == {"a%E9 (2)": "name", "%E9%E9": "name"}
    every = [seed.name for seed in found.seeds] + [problem.id for problem in found.problems]
    assert len(every) == len(set(every)) == 3


def test_ids_can_always_be_stored(tmp_path: Path) -> None:
    for number in range(0x80, 0x100):
        bad_name(tmp_path, bytes([97, number]))
    found = scan(tmp_path, LIMIT)
    assert len({seed.name for seed in found.seeds}) == 128
    for seed in found.seeds:
        seed.name.encode()


@pytest.mark.parametrize(("content", "kind"), [(b"other", "changed"), (b"x" * 5000, "changed"), (None, "unreadable")])
def test_a_seed_that_is_not_what_was_scanned(tmp_path: Path, content: bytes | None, kind: str) -> None:
    write_seeds(tmp_path, {"x": "first"})
    (seed,) = scan(tmp_path, LIMIT).seeds
    (tmp_path / "x").unlink()
    if content is not None:
        (tmp_path / "x").write_bytes(content)
    with pytest.raises(SeedChangedError) as caught:
        read(tmp_path, seed)
    assert (caught.value.problem.id, caught.value.problem.kind) == ("x", kind)
    assert pickle.loads(pickle.dumps(caught.value)).problem == caught.value.problem


def test_a_pipe_in_the_place_of_a_seed_does_not_block(tmp_path: Path) -> None:
    write_seeds(tmp_path, {"x": "first"})
    (seed,) = scan(tmp_path, LIMIT).seeds
    (tmp_path / "x").unlink()
    os.mkfifo(tmp_path / "x")
    with pytest.raises(SeedChangedError, match="not there"):
        read(tmp_path, seed)


def test_files_are_hashed_by_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes there and comes back is pickled; some are asked for before the first are back."""
    names = [f"{number % 3}/{number}" for number in range(9)]
    write_seeds(tmp_path, {name: name * 3 for name in names})
    write_seeds(tmp_path, {"large": "x" * (LIMIT + 1), "a.jsonl": '{"text": "x"}'})
    (tmp_path / "0" / "nowhere").symlink_to("not there")
    known = scan(tmp_path, LIMIT)
    hash_it, sent = seeds._hash, list[str]()

    def failing(file: str, most: int, likely: int) -> tuple[str, int]:
        sent.append(file)
        if file.endswith("2/5"):
            raise PermissionError(13, "no", file)
        return hash_it(file, most, likely)

    def each(function: Callable[[Any], Any], todo: Iterable[Any]) -> Iterator[Any]:
        ahead = [pickle.dumps(one) for one in todo]
        return (pickle.loads(pickle.dumps(function(pickle.loads(one)))) for one in ahead)

    monkeypatch.setattr(seeds, "AT_A_TIME", 2)
    monkeypatch.setattr(seeds, "_hash", failing)
    found = scan(tmp_path, LIMIT, each=each)
    assert [seed for seed in known.seeds if seed.name != "2/5"] == list(found.seeds)
    (more,) = set(found.problems) - set(known.problems)
    assert (more.id, more.kind, more.size) == ("2/5", "unreadable", 9)
    assert "permission denied" in more.reason
    assert found.containers == known.containers
    assert len(sent) == 10  # no file twice, none that is too large


def test_two_scans_are_equal(tmp_path: Path) -> None:
    write_seeds(tmp_path, {f"{i % 7}/{i}": str(i) for i in range(100)})
    assert scan(tmp_path, LIMIT) == scan(tmp_path, LIMIT)
