"""Jingwen's cleaners: bytes in, a Document out.  Pure functions; no I/O but their own rules and tables."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from . import (
    characters,
    chrome,
    duplicates,
    edit_columns,
    encoding,
    extraction,
    flags,
    ignored,
    kinds,
    layout,
    line_splits,
    looks,
    metadata,
    mhtml,
    mojibake,
    prose,
    punctuation,
    recurrence,
    repeats,
    script,
    structure,
)
from .config import Config
from .document import Article, Document, Encoding, Flag, Paragraph, Pass, Quarantine, Record, RefusedError, Seed
from .edits import Edit, EditError, apply, between, undo
from .ignored import BLANK_LINES, LINES, MARGINS, NOTHING_LEFT
from .stopwatch import Stopwatch

__all__ = [
    "PIPELINE",
    "Article",
    "Cleaner",
    "Config",
    "Document",
    "Draft",
    "Edit",
    "EditError",
    "Encoding",
    "Flag",
    "Paragraph",
    "Pass",
    "Quarantine",
    "Record",
    "Seed",
    "Stopwatch",
    "TooSlowError",
    "advance_all",
    "apply",
    "between",
    "clean",
    "fingerprint",
    "fingerprint_parts",
    "select",
    "settle_all",
    "undo",
]


Propose = Callable[[str, Config], Iterator[Edit]]


class Cleaner(NamedTuple):
    """One step of the pipeline.

    name      the first part of the ids of its rules
    propose   propose(text, config) yields edits, sorted by start; the same text always gets the same edits
    ignores   changes that do not matter to it, as ignored.py writes them: where it found nothing to do, it finds
              nothing after them. `propose` may return more of them when it yields nothing, or NOTHING_LEFT among them
    needs     kinds of characters (bits of kinds.py): it finds nothing in a text that has none of them; 0: it may find
              something in any text
    preview   is shown many texts before `propose` is asked about each of them, and may remember what makes that
              faster, not what it proposes
    """

    name: str
    propose: Propose
    ignores: str = ""
    needs: int = 0
    preview: Callable[[Sequence[str]], None] | None = None


PIPELINE: tuple[Cleaner, ...] = (
    Cleaner("mhtml", mhtml.propose, needs=kinds.SLASH),  # first: the page inside a saved web archive
    Cleaner("extraction", extraction.propose, needs=kinds.ANGLE),  # pages become text before anything looks at the text
    # every other cleaner needs the real characters
    Cleaner(
        *("mojibake", mojibake.propose, BLANK_LINES),
        needs=kinds.PAIR | kinds.LEAD | kinds.ESCAPE,
        preview=mojibake.preview,
    ),
    # invisible and look-alike characters would hide lines from rules
    Cleaner("characters", characters.propose, MARGINS, needs=kinds.ODD),
    # before the joiner: a split sentence may have a widget between its halves
    Cleaner("chrome", chrome.propose, MARGINS, preview=chrome.preview),
    # what no rule names, but many pages of the site have
    Cleaner("recurrence", recurrence.propose, MARGINS),
    # lines about the article, which stand among the chrome
    Cleaner("metadata", metadata.propose, MARGINS),
    # before the joiner, which expects full-width marks
    Cleaner("punctuation", punctuation.propose, BLANK_LINES),
    # lines must be whole before duplicates can be seen
    Cleaner("line_splits", line_splits.propose, preview=line_splits.preview),
    Cleaner("duplicates", duplicates.propose, MARGINS, preview=repeats.preview),
    Cleaner("script", script.propose, MARGINS),  # late, so that rules are written once, for both scripts
    Cleaner("layout", layout.propose),  # last: indents and blank lines tell the others where paragraphs begin
)


def select(config: Config, pipeline: tuple[Cleaner, ...] = PIPELINE) -> tuple[Cleaner, ...]:
    """The cleaners that `config` lets run, in the pipeline's order.  Raises ValueError for an unknown name."""
    if config.cleaners is None:
        return pipeline
    known = [cleaner.name for cleaner in pipeline]
    unknown = sorted(set(config.cleaners) - set(known))
    if unknown:
        raise ValueError(f"there is no cleaner {', '.join(unknown)}; known are {', '.join(known)}")
    return tuple(cleaner for cleaner in pipeline if cleaner.name in config.cleaners)


UNKNOWN = -1  # kinds of characters of a text that was not looked at


class TooSlowError(Exception):
    """Whoever runs the cleaners may raise this in the midst of one (from a signal's handler) to end a document
    that takes longer than `Config.max_seconds`: it goes to quarantine."""


class Draft:
    """A document while it is being cleaned: the text so far, the trail so far, and the seconds of CPU time.

    Draft(raw, name, config, record, sha256): the SHA-256 of `raw` in hex is computed when it is not given.
    """

    __slots__ = (
        *("_described", "_done", "_kinds", "_looked_at", "encoding", "quarantine", "record"),
        *("recurring", "seconds", "seed", "text", "trail"),
    )

    def __init__(self, raw: bytes, name: str, config: Config, record: Record | None = None, sha256: str = "") -> None:
        watch = Stopwatch()
        self.seed = Seed.of(raw, name, sha256)
        self.record = record
        self.text, self.encoding, self.quarantine = encoding.decode(raw, config)
        self.trail: list[Pass] = []
        # what found nothing to do: what has changed since, and what of that does not matter (see ignored.py)
        self._done: dict[Propose, tuple[set[str], str]] = {}
        self._kinds = UNKNOWN
        self._looked_at: str | None = None  # the text, but for what `layout` did, where the look at it is remembered
        self._described: tuple[Document, structure.Structure] | None = None
        self.recurring = config.recurring
        self.seconds = watch.lap()

    def advance(self, cleaner: Cleaner, config: Config, watch: Stopwatch | None = None) -> int:
        """Lets one cleaner have its pass; returns the number of edits.  A cleaner that fails puts this document
        in quarantine (`cleaner_failed`) and no other: one defect must not stop a corpus of millions.

        watch   a stopwatch whose last lap ended as this step begins; None: a new one, which takes longer than many a
                cleaner

        A cleaner that found nothing to do is not asked again until something has changed that it looks at."""
        if self.quarantine is not None or self.is_done(cleaner):
            return 0
        watch = watch or Stopwatch()
        try:
            edits, text, ignores = edit_columns.carry_out(self.text, cleaner.propose(self.text, self._own(config)))
        except TooSlowError:
            self.quarantine = _too_slow(config)
            return 0
        except RefusedError as error:
            self.quarantine = error.quarantine
            return 0
        except Exception as error:  # noqa: BLE001  whatever it is, it is on record with its reason
            self.quarantine = _failed(cleaner, error)
            return 0
        finally:
            self.seconds += watch.lap()
        if self.seconds > config.max_seconds:
            self.quarantine = _too_slow(config)
            return 0
        if not edits:
            self._done[cleaner.propose] = set(), cleaner.ignores + ignores
            return 0
        self._note(cleaner, edits, text)
        if NOTHING_LEFT in ignores:
            self._done[cleaner.propose] = set(), ignores
        self.text, self._described = text, None
        self.trail.append(Pass(cleaner.name, edits))
        return len(edits)

    def _own(self, config: Config) -> Config:
        """The configuration with the lines that recur for this document."""
        return config if self.recurring == config.recurring else replace(config, recurring=self.recurring)

    def is_done(self, cleaner: Cleaner) -> bool:
        """True if the cleaner finds nothing to do: it is not asked again."""
        if cleaner.needs and not cleaner.needs & self._held():
            return True
        known = self._done.get(cleaner.propose)
        return known is not None and (not known[0] or known[0].issubset(known[1]))

    def is_at_rest(self, pipeline: tuple[Cleaner, ...]) -> bool:
        """True if no cleaner is asked any more, or may be: the document is in quarantine."""
        return self.quarantine is not None or all(map(self.is_done, pipeline))

    @property
    def knows_no_kinds(self) -> bool:
        """True if its text must be looked at for kinds of characters before a cleaner is asked that needs some."""
        return self._kinds == UNKNOWN and self.quarantine is None

    def learn_kinds(self, held: int) -> None:
        """Tells what `kinds.held` finds in its text."""
        self._kinds = held
        self._look_at(self.text)

    def _held(self) -> int:
        """The kinds of characters that the text holds, and perhaps more: of lines that went, too."""
        if self._kinds == UNKNOWN:
            self.learn_kinds(kinds.held(self.text))
        return self._kinds

    def _note(self, cleaner: Cleaner, edits: Sequence[Edit], text: str) -> None:
        """Remembers what changed: only `layout` changes nothing but the space between lines.  text: what comes of it"""
        if cleaner.propose is not layout.propose:
            if ignored.are_lines(self.text, edits):  # nothing comes together in a line
                if self._looked_at is self.text:
                    looks.without(self.text, edits, text)
                    self._look_at(text)
                else:
                    self._look_at(None)
                self._done = {propose: known for propose, known in self._done.items() if LINES in known[1]}
                return
            self._done.clear()
            self._kinds = UNKNOWN
            self._look_at(None)
            return
        gaps = ignored.of_gaps(edits)
        for changed, _ in self._done.values():
            changed |= gaps
        self._done[cleaner.propose] = set(), ""  # one blank line for every gap: there is nothing left to do

    def _look_at(self, text: str | None) -> None:
        """Notes what is looked at now: nobody asks for the look before it."""
        if self._looked_at is not None and self._looked_at is not text:
            looks.drop(self._looked_at)
        self._looked_at = text

    def settle(self, config: Config, pipeline: tuple[Cleaner, ...], watch: Stopwatch | None = None) -> bool:
        """Repeats the pipeline until nothing changes (one cleaner may open the way for another that ran before
        it), so that cleaning twice is cleaning once.  False if it still changes after `config.max_rounds`.
        watch: as for `advance`."""
        if not self.trail:
            return True
        watch = watch or Stopwatch()
        for _ in range(config.max_rounds):
            if not sum(self.advance(cleaner, config, watch) for cleaner in pipeline):
                return True
        return False

    def describe(self, config: Config, watch: Stopwatch | None = None) -> None:
        """Finds roles, articles and metadata.  `finish` does so where nobody did, but of many documents all are better
        described before any is finished: code that has just run runs faster.  watch: as for `advance`."""
        if self.quarantine is None and self._is_markup():
            self.quarantine = _MARKUP
        if self.quarantine is not None:
            return
        watch = watch or Stopwatch()
        prose.release()
        try:
            document = self._document()
            self._described = document, structure.of(document, self._own(config))
        except TooSlowError:
            self.quarantine = _too_slow(config)
        finally:
            self.seconds += watch.lap()

    def finish(self, config: Config, settled: bool = True, watch: Stopwatch | None = None) -> Document:
        """The document, with roles, articles, metadata and flags; without them when it is in quarantine.
        watch: as for `advance`."""
        if self._described is None:
            self.describe(config, watch)
        if self.quarantine is not None or self._described is None:
            return self._document()
        document, found = self._described
        watch = watch or Stopwatch()
        try:
            # of the same lines: what it sees of gaps matters to no flag
            seen = (self._looked_at and looks.known(self._looked_at)) or kinds.look(document.text)
            damage = flags.of(document, found.paragraphs, seen, config, settled, bool(self._held() & kinds.PAIR))
            judged = script.judged(seen.kinds)
            made = document.seed, document.text, document.encoding, document.trail
            return Document(*made, *found, tuple(damage), judged, record=self.record)
        except TooSlowError:
            return replace(document, quarantine=_too_slow(config))
        finally:
            self._look_at(None)
            self.seconds += watch.lap()

    def _document(self) -> Document:
        """The document as far as cleaners make it."""
        made = self.seed, self.text, self.encoding, tuple(self.trail)
        return Document(*made, quarantine=self.quarantine, record=self.record)

    def _is_markup(self) -> bool:
        held = self._held()
        if held & kinds.SLASH and mhtml.is_message(self.text):
            return True
        return bool(held & kinds.ANGLE) and extraction.is_page(self.text)


Turns = Callable[[Sequence[Draft]], Iterable[tuple[Draft, Stopwatch]]]
"""Gives each of some drafts its turn, with the stopwatch that was started for it."""


def advance_all(drafts: Sequence[Draft], cleaner: Cleaner, config: Config, turns: Turns) -> list[int]:
    """Draft.advance for many documents; returns the number of edits of each."""
    if cleaner.needs:
        unknown = [one for one in drafts if one.knows_no_kinds]
        for one, found in zip(unknown, kinds.held_of_all([one.text for one in unknown]), strict=True):
            one.learn_kinds(found)
    if cleaner.preview is not None:
        try:
            cleaner.preview([one.text for one in drafts if one.quarantine is None and not one.is_done(cleaner)])
        except Exception:  # noqa: BLE001  `propose` fails on the text at fault, and on it alone: that is put on record
            cleaner.preview([])
    return [draft.advance(cleaner, config, watch) for draft, watch in turns(drafts)]


def settle_all(drafts: Sequence[Draft], config: Config, pipeline: tuple[Cleaner, ...], turns: Turns) -> set[int]:
    """Draft.settle for many documents at once, which is faster by up to a quarter: code that has just run runs faster.

    Returns the indexes of the drafts that still change after `config.max_rounds`."""
    left = [number for number, draft in enumerate(drafts) if draft.trail]
    for _ in range(config.max_rounds):
        left = [number for number in left if not drafts[number].is_at_rest(pipeline)]
        edits = dict.fromkeys(left, 0)
        for cleaner in pipeline if left else ():
            asked = [number for number in left if not drafts[number].is_done(cleaner)]
            made = advance_all([drafts[number] for number in asked], cleaner, config, turns)
            for number, more in zip(asked, made, strict=True):
                edits[number] += more
        left = [number for number in left if edits[number]]
    return set(left)


_MARKUP = Quarantine(
    "unsupported_format",
    "The seed is the source of a web page, which the cleaners `mhtml` and `extraction` turn into text: let them run.",
)


def _failed(cleaner: Cleaner, error: Exception) -> Quarantine:
    what = f"{type(error).__name__}: {error}"[:300]
    if cleaner in PIPELINE:
        advice = f"please report it with the seed, or leave the cleaner out with `--skip {cleaner.name}`"
    else:
        advice = "it is not one of Jingwen's: mend it, or leave it out of the flow's pipeline"
    reason = f"The cleaner {cleaner.name} failed on this seed ({what}). This is a defect of the cleaner: {advice}."
    return Quarantine("cleaner_failed", reason)


def _too_slow(config: Config) -> Quarantine:
    reason = f"Cleaning it takes more than {config.max_seconds:g} s: split the seed, or raise `max_seconds`."
    return Quarantine("too_slow", reason)


def clean(raw: bytes, name: str = "", config: Config | None = None) -> Document:
    """Cleans one seed.

    raw     the seed's bytes, in any encoding
    name    the seed's name, for the record
    config  see Config; None: the defaults

    Raises ValueError and TypeError on misuse only, never on bad text: a seed that cannot be cleaned comes back
    with `quarantine` set.
    """
    config = config or Config()
    pipeline = select(config)
    draft = Draft(raw, name, config)
    watch = Stopwatch()
    for cleaner in pipeline:
        draft.advance(cleaner, config, watch)
    return draft.finish(config, draft.settle(config, pipeline, watch), watch)


_LIBRARIES = ("ftfy", "opencc", "rapidfuzz", "numpy", "resiliparse")
"""Libraries whose version decides what the cleaners do."""


def fingerprint(config: Config | None = None, pipeline: tuple[Cleaner, ...] = PIPELINE) -> str:
    """SHA-256, in hex, of all that decides what the cleaners do: see `fingerprint_parts`."""
    return hashlib.sha256(repr(sorted(fingerprint_parts(config, pipeline).items())).encode()).hexdigest()


def fingerprint_parts(config: Config | None = None, pipeline: tuple[Cleaner, ...] = PIPELINE) -> dict[str, str]:
    """The parts of the fingerprint: hashes of code, rules and statistics, the configuration, library versions.

    pipeline   when it is not PIPELINE: its order, too, and a hash of the module of each cleaner of one's own
    Raises ValueError when the source of such a cleaner cannot be found, as that of one typed at a prompt.
    """
    libraries = {f"library:{name}": version(name) for name in _LIBRARIES}
    choices = asdict(config or Config())
    del choices["recurring"]  # follows from the seeds
    parts = {**_files(), **libraries, "config": repr(sorted(choices.items()))}
    if choices["trail"] != "full":
        parts["trail"] = choices["trail"]  # on its own: readers of a version must know
    if pipeline != PIPELINE:
        parts["pipeline"] = ", ".join(cleaner.name for cleaner in pipeline)
        parts |= {f"cleaner:{one.name}": _source(one) for one in pipeline if one not in PIPELINE}
    return parts


def _source(cleaner: Cleaner) -> str:
    """Hash of the module that a cleaner of one's own stands in."""
    try:
        file = inspect.getsourcefile(cleaner.propose)
        return hashlib.sha256(Path(file or "").read_bytes()).hexdigest()
    except (OSError, TypeError) as error:
        raise ValueError(f"the source of the cleaner {cleaner.name} cannot be read: put it into a module") from error


@cache
def _files() -> dict[str, str]:
    """Hash per kind of file in this package."""
    here = Path(__file__).parent
    kinds: dict[str, list[Path]] = {"code": [], "rules": [], "statistics": []}
    for path in sorted(here.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            top = path.relative_to(here).parts[0]
            kinds[top if top in kinds else "code"].append(path)
    return {kind: _hash(paths, here) for kind, paths in kinds.items()}


def _hash(paths: list[Path], here: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(here).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
