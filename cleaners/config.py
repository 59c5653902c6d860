"""Config: every choice that changes what the cleaners do."""

from __future__ import annotations

from dataclasses import dataclass

SCRIPT_CONVERSIONS = ("keep", "t2s", "s2t", "tw2s", "tw2sp", "s2tw", "s2twp", "hk2s", "s2hk", "t2tw", "t2hk")
TRAILS = ("full", "summary")
QUOTE_STYLES = ("auto", "mainland", "traditional")


@dataclass(frozen=True)
class Config:
    """What the cleaners do. Frozen: one configuration belongs to one corpus version.

    Raises ValueError for a value that is not allowed.
    """

    cleaners: tuple[str, ...] | None = None
    """Names of the cleaners that run, in any order: they always run in the order of PIPELINE. None: all."""

    script: str = "keep"
    """Script conversion by OpenCC, one of SCRIPT_CONVERSIONS. `keep` changes no script."""

    quotes: str = "auto"
    """House style of quotation marks: `mainland` “‘’” (GB/T 15834-2011), `traditional` 「『』」, `auto`: the
    traditional ones in a document in Traditional script, unless it has “ ” and no 「 already."""

    timezone: str = "+08:00"
    """Offset from UTC of dates that state none. Default: China Standard Time."""

    max_seed_bytes: int = 64 * 1024 * 1024
    """A seed with more bytes goes to quarantine (`too_large`)."""

    max_container_bytes: int = 64 * 1024 * 1024 * 1024
    """A container of seeds (JSON Lines, Parquet, an archive) is read up to so many unpacked bytes."""

    text_field: str = ""
    """Name of the field that holds the text of a record in JSON Lines or Parquet. Empty: the first of the usual
    names that holds text (docs/formats.md)."""

    id_field: str = ""
    """Name of the field that holds a record's id. Empty: the first of the usual names; a name that no record has:
    all records get their numbers."""

    max_rounds: int = 8
    """Cleaning is repeated until nothing changes, at most so often; a document that still changes is flagged."""

    max_seconds: float = 300.0
    """A document that takes more seconds of CPU time goes to quarantine (`too_slow`). The one choice whose effect
    depends on the machine: keep it far above what a sound document needs (a megabyte takes less than a second)."""

    trail: str = "full"
    """How much of the trail a corpus keeps, one of TRAILS. `summary`: of each document one edit per rule, as an
    example, and the counts; nothing leads back to the seeds then, which have to be kept. For a corpus."""

    drop_reprints: bool = False
    """Near-duplicates of a document that is kept go to quarantine (`reprint`). For a corpus: one text has none."""

    recurring: frozenset[int] = frozenset()
    """The lines of this one document that recur in its site, by `recurrence.key`. A corpus finds and sets them; they
    follow from the seeds, so they are no part of the fingerprint. Empty: no line recurs."""

    def __post_init__(self) -> None:
        if self.script not in SCRIPT_CONVERSIONS:
            raise ValueError(f"script is {self.script!r}; allowed are {', '.join(SCRIPT_CONVERSIONS)}")
        if self.quotes not in QUOTE_STYLES:
            raise ValueError(f"quotes is {self.quotes!r}; allowed are {', '.join(QUOTE_STYLES)}")
        if self.trail not in TRAILS:
            raise ValueError(f"trail is {self.trail!r}; allowed are {', '.join(TRAILS)}")
        if min(self.max_seed_bytes, self.max_container_bytes, self.max_rounds) < 1:
            raise ValueError("max_seed_bytes, max_container_bytes and max_rounds are at least 1")
        if not self.max_seconds > 0:
            raise ValueError("max_seconds is more than 0")
