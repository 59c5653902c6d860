"""Samples: the rows of `lines`, one part in memory at a time, and the lines that many pages of a site have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cleaners import recurrence

from . import parts

FEWEST_ARTICLES = 4
"""A line that fewer articles share does not recur."""

MOST_INSIDE = 0.25
"""A line that stands inside of articles for more than this part of the times that it stands at the place where it
would be removed is one of the article's own."""

KEYS_AT_A_TIME = 1 << 19
"""So many keys are counted at a time, about: 40 MB of memory."""

HOST = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}[a-z]{2,18}", re.I)

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
Documents = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

PLACES = np.uint64(3)  # the bits of a key that say where the line stands


def site(id: str, said: str | None = None) -> str:
    """The site of a seed: the host that is known of it, else the folder in its id that is a host's name, else its
    first folder, else ""."""
    folders = id.split("/")[:-1]
    host = said or next((one for one in folders if HOST.fullmatch(one)), None)
    if host is None:
        return folders[0] if folders else ""
    return host.lower().removeprefix("www.")


class Piece(NamedTuple):
    """Some rows of `lines`: a part of the table, or a table in memory; and which of them count (None: all)."""

    rows: Path | pa.Table
    stays: Flags | None = None

    def read(self, *columns: str) -> pa.Table:
        """These columns.  Raises StoreError when the file is damaged."""
        found = parts.read([self.rows], "lines", columns) if isinstance(self.rows, Path) else self.rows.select(columns)
        return found if self.stays is None else found.filter(pa.array(self.stays))


class Frequent(NamedTuple):
    """Lines that may recur, sorted by site and key: number of the site, key, in how many of its articles the line
    stands, and the number of a document that has it."""

    site: Counts
    keys: Keys
    articles: Counts
    document: Counts

    def at(self, rows: Counts | Flags) -> Frequent:
        return Frequent(self.site[rows], self.keys[rows], self.articles[rows], self.document[rows])


class Samples:
    """The samples of a corpus.  Documents are numbered piece by piece.

    names      of the sites
    site       number of each document's site
    article    of each document: the same number for copies of one article; -1 without prose
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        numbers: dict[str, int] = {}
        sites, prose, sizes, keys = [], [], [0], 0
        identities = bytearray()  # it grows in place: a list of arrays would be there twice when it is joined
        for piece in pieces:
            rows = piece.read("id", "site", "identity", "keys")
            pairs = zip(rows["id"].to_pylist(), rows["site"].to_pylist(), strict=True)
            named = (numbers.setdefault(site(id, host), len(numbers)) for id, host in pairs)
            sites.append(np.fromiter(named, np.int32, rows.num_rows))
            hashes, lengths = _flat(rows["identity"])
            identities += hashes.tobytes()
            prose.append(lengths > 0)
            sizes.append(rows.num_rows)
            keys += _flat(rows["keys"])[0].size
        self.names = list(numbers)
        self.site = np.concatenate([np.zeros(0, np.int32), *sites])
        self._starts = np.cumsum(sizes)
        self._keys = keys
        flat = np.frombuffer(identities, "<u8").reshape(-1, recurrence.IDENTITIES)
        ranks = [_ranks(column) for column in flat.T]
        del flat, identities
        self.article = _articles(ranks, np.concatenate([np.zeros(0, bool), *prose]))

    def number_of_articles(self) -> Counts:
        """Of each site: copies of one count as one; pages without prose do not count."""
        good = self.article >= 0
        pairs = np.unique(self.site[good].astype(np.int64) * (len(self.article) + 1) + self.article[good])
        return np.bincount(pairs // (len(self.article) + 1), minlength=len(self.names))

    def ids(self, documents: Counts) -> list[str]:
        """The ids of these documents."""
        found = np.empty(documents.size, object)
        of_piece = np.searchsorted(self._starts, documents, side="right") - 1
        for number in np.unique(of_piece).tolist():
            mine = np.flatnonzero(of_piece == number)
            rows = self.pieces[number].read("id")["id"]
            found[mine] = rows.take(pa.array(documents[mine] - self._starts[number])).to_pylist()
        return list(found)

    def frequent(self) -> Frequent:
        """The lines of at least FEWEST_ARTICLES articles of a site."""
        shares = max(1, -(-self._keys // KEYS_AT_A_TIME))
        found = [_frequent(*self._evidence(number, shares), self.site, self.article) for number in range(shares)]
        together = Frequent(*(np.concatenate(column) for column in zip(*found, strict=True)))
        return together.at(np.lexsort((together.keys, together.site)))

    def applied(self, number: int, wanted: Callable[[str], frozenset[int]]) -> Iterator[tuple[str, frozenset[int]]]:
        """Id, and those of its keys that are wanted, of each document of a piece that has some.

        wanted   gives the keys that are, for the name of a site; KNOWN among them goes to each of these documents
        """
        rows = self.pieces[number].read("id", "keys")
        sites = self.site[self._starts[number] : self._starts[number + 1]].tolist()
        of_site = {one: wanted(self.names[one]) for one in set(sites)}
        known = {one: of_site[one] & {recurrence.KNOWN} for one in of_site}
        for id, one, raw in zip(rows["id"].to_pylist(), sites, rows["keys"].to_pylist(), strict=True):
            if of_site[one] and (mine := of_site[one].intersection(np.frombuffer(raw, "<u8").tolist())):
                yield id, mine | known[one]

    def _evidence(self, number: int, shares: int) -> tuple[Keys, Documents]:
        """Keys of pages with prose, and the documents that have them: one of so many shares. A line's keys at all
        places are in one share."""
        keys: list[Keys] = [np.zeros(0, np.uint64)]
        documents: list[Documents] = [np.zeros(0, np.int32)]
        for start, piece in zip(self._starts.tolist(), self.pieces, strict=False):
            flat, sizes = _flat(piece.read("keys")["keys"])
            document = np.repeat(np.arange(start, start + sizes.size, dtype=np.int32), sizes)
            mine = self.article[document] >= 0
            if shares > 1:
                mine &= (flat >> np.uint64(2)) % np.uint64(shares) == number
            keys.append(flat[mine])
            documents.append(document[mine])
        return np.concatenate(keys), np.concatenate(documents)


def _frequent(keys: Keys, document: Documents, site: Documents, article: Documents) -> Frequent:
    """The lines among these of at least FEWEST_ARTICLES articles of a site; not those that are the articles' own."""
    order = np.lexsort((keys, site[document])) if site.any() else np.argsort(keys, kind="stable")
    keys, document = keys[order], document[order]
    if not keys.size:
        nothing = np.zeros(0, np.int64)
        return Frequent(nothing, keys, nothing, nothing)
    of_site = site[document].astype(np.int64)
    # the keys of a line at its places differ in the last two bits, so they stand side by side
    of_line = _starts(keys & ~PLACES, of_site)
    of_key = _starts(keys, of_site)
    times = np.diff(np.append(of_key, keys.size))
    line_of_key = np.searchsorted(of_line, of_key, side="right") - 1
    most = np.maximum.reduceat(times, np.searchsorted(of_key, of_line))
    stay = np.repeat(most[line_of_key] >= FEWEST_ARTICLES, times)
    keys, document, of_site = keys[stay], document[stay], of_site[stay]
    if not keys.size:
        return Frequent(of_site, keys, of_site, of_site)
    of_key, of_line = _starts(keys, of_site), _starts(keys & ~PLACES, of_site)
    group = np.repeat(np.arange(of_key.size), np.diff(np.append(of_key, keys.size)))
    pairs = np.unique(group * (article.size + 1) + article[document])
    articles = np.bincount(pairs // (article.size + 1), minlength=of_key.size)
    found = Frequent(of_site[of_key], keys[of_key], articles, np.minimum.reduceat(document, of_key).astype(np.int64))
    is_inside = (found.keys & PLACES) == recurrence.INSIDE
    line_of_key = np.searchsorted(of_line, of_key, side="right") - 1
    inside = np.bincount(line_of_key, weights=articles * is_inside, minlength=of_line.size)[line_of_key]
    return found.at(~is_inside & (articles >= FEWEST_ARTICLES) & (inside <= MOST_INSIDE * articles))


def _starts(keys: Keys, site: Counts) -> Counts:
    """Where each run of the same key of a site begins."""
    differs = (keys[1:] != keys[:-1]) | (site[1:] != site[:-1])
    return np.flatnonzero(np.append(True, differs))


def _flat(column: pa.ChunkedArray) -> tuple[Keys, Counts]:
    """The numbers in a column of binary values, and how many of them each value has."""
    values, sizes = [np.zeros(0, "<u8")], [np.zeros(0, np.int64)]
    for chunk in column.chunks:
        if len(chunk):
            _, places, content = chunk.buffers()
            ends = np.frombuffer(places, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            raw = np.frombuffer(content or b"", np.uint8)[ends[0] : ends[-1]]
            values.append(raw.view("<u8"))
            sizes.append(np.diff(ends).astype(np.int64) // 8)
    return np.concatenate(values), np.concatenate(sizes)


def _articles(columns: Sequence[Documents], has_prose: Flags) -> Documents:
    """A number for each page: the same for pages that are, in a chain, copies of one article; -1 without prose.

    Pages that share two of their hashes are copies.  The smallest number of its neighbours goes to each page until
    nothing changes.
    columns   of each hash its number, of the pages with prose: (pages,)
    """
    found = np.full(has_prose.size, -1, np.int32)
    size = len(columns[0])
    if not size:
        return found
    labels = np.arange(size, dtype=np.int32)
    shared = [_shared(one.astype(np.int64) * size + other) for one, other in combinations(columns, 2)]
    while True:
        before = labels
        for pages, slot in shared:
            least = np.full(slot.max(initial=-1) + 1, size, np.int32)
            np.minimum.at(least, slot, labels[pages])
            labels = labels.copy()
            labels[pages] = least[slot]
        if np.array_equal(before, labels):
            break
    found[has_prose] = labels
    return found


def _ranks(values: Keys) -> Documents:
    """The same number for equal values."""
    order = np.argsort(values)
    found = np.empty(len(values), np.int32)
    found[order] = _run(values[order])
    return found


def _shared(values: Counts) -> tuple[Counts, Documents]:
    """The places of values that occur more than once, and for each a number of its value."""
    order = np.argsort(values)
    ordered = values[order]
    same = ordered[1:] == ordered[:-1]
    again = (np.append(same, False) | np.append(False, same))[: len(values)]
    return order[again], _run(ordered[again])


def _run(ordered: npt.NDArray[Any]) -> Documents:
    """Of sorted values the number of each one's run of equal ones."""
    return np.cumsum(np.append(False, ordered[1:] != ordered[:-1])[: len(ordered)], dtype=np.int32)
