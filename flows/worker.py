"""What worker processes need, loaded: the fork server imports this module (flows/fork_server.py), nothing else does.

No thread may be left that a copy would miss: no signatures, whose library starts some.
"""

import os

from .loading import SAMPLE, undisturbed, with_little_memory, without_pandas

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # of that library: the other cores have workers of their own

with_little_memory()
with undisturbed():
    without_pandas()

    from cleaners import clean
    from corpus import near_duplicates, rows

    from . import batch  # noqa: F401

    document = clean(SAMPLE.encode(), "sample.txt")
    near_duplicates.letters(document.text)
    trails = rows.Trails.of([document.trail])
    rows.documents_table([document], trails)
    rows.edits_table([document], trails)
