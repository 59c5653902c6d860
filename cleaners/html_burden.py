"""How much work an HTML page is for a library that builds its tree: for some pages, made so, more than any limit.

A tree builder opens elements again that were never closed, looks for an end tag's element among all that are open, and
compares each attribute of a tag with all before it (HTML standard, 13.2.4.3, 13.2.6.4.7, 13.2.5.33); a reader of the
tree looks at what its texts stand in.  Each of these takes time in proportion to the square of the page's length; here
the steps are counted, in one pass.  Tags in comments and scripts count, too: more steps than are needed, so that none
are missed.
"""

from __future__ import annotations

import re
from collections import Counter

from .html_source import BLOCKS, FORMATTING, VOID

MOST_STEPS, MOST_PER_CHARACTER = 10_000_000, 200
"""Of a page that is given to the library: so many, and so many for each of its characters.  A step takes some 2 ns."""

REBUILT = 700
"""Steps for an element that is opened again.  Of those that are written alike at most three are."""

LEVEL = 7
"""Steps for each open block element at each tag: how deep a text stands is looked at."""

_NAME = r"[A-Za-z][^\s/>]*+"
_ATTRIBUTES = r"""[\s/]*+(?!>)=?[^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?"""
_TAG = re.compile(rf"<(/?)({_NAME})(?:{_ATTRIBUTES})*+")
_ATTRIBUTE = re.compile(_ATTRIBUTES)
FEW_ATTRIBUTES = 500
"""Characters; a shorter tag cannot have many."""

_ENDED_BY_OTHERS = frozenset(["p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "optgroup"])


def is_too_much(source: str) -> bool:
    """Whether the library would take far longer for the page than for others of its length.  Linear in its length."""
    most = MOST_STEPS + MOST_PER_CHARACTER * len(source)
    opened: Counter[str] = Counter()
    alike: Counter[str] = Counter()
    inside = depth = forms = options = merged = steps = 0
    for found in _TAG.finditer(source):
        name = found[2].lower()
        size = found.end() - found.start()
        if size > FEW_ATTRIBUTES:
            steps += len(_ATTRIBUTE.findall(found[0])) ** 2
        if name in ("html", "body"):  # their attributes come together
            merged += size
            steps += merged
        elif name == "option":
            options += 1
            steps += 3 * options
        elif name == "select":
            options = 0
        elif name not in VOID and name not in _ENDED_BY_OTHERS:
            if not found[1]:
                opened[name] += 1
                inside += 1
                depth += name in BLOCKS
            elif opened[name]:
                opened[name] -= 1
                inside -= 1
                depth -= name in BLOCKS
        if name not in FORMATTING:
            steps += REBUILT * min(forms, inside)
        elif not found[1] and opened[name] > 1 and alike[found[0]] < 3:
            alike[found[0]] += 1
            forms += 1
        steps += inside + LEVEL * depth
        if steps > most:
            return True
    return False
