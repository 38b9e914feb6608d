"""The per-second line as text. A full day is 23,401 rows and must come in one response.

Written column by column: most values repeat from second to second, so each distinct amount is
turned into text once.
"""

from __future__ import annotations

import numpy as np

from common.money import usd
from sessions.financials import COLUMNS, Matrix

NAMES = COLUMNS[2:]
# No amount or time needs escaping, so a row is a template of strings.
_ROW = "{" + ",".join(f'"{name}":"%s"' for name in ("datetime", *NAMES)) + "}"


def thinned(matrix: Matrix, *, interval: int) -> Matrix:
    """The last row of every `interval` seconds of market time."""
    if interval > 1 and len(matrix):
        buckets = matrix[:, 1] // (interval * 1000)
        is_last = np.append(buckets[1:] != buckets[:-1], True)
        matrix = matrix[is_last]
    return matrix


def as_json(matrix: Matrix) -> bytes:
    rows = (_ROW % values for values in zip(*_columns(matrix), strict=True))
    return f"[{','.join(rows)}]".encode()


def as_csv(matrix: Matrix) -> bytes:
    lines = [",".join(("datetime", *NAMES))]
    lines += [",".join(values) for values in zip(*_columns(matrix), strict=True)]
    return ("\n".join(lines) + "\n").encode()


def wants_csv(accept: str) -> bool:
    return "text/csv" in accept and "application/json" not in accept


def _columns(matrix: Matrix) -> list[list[str]]:
    times = np.datetime_as_string(matrix[:, 1].astype("datetime64[ms]"), timezone="UTC")
    return [times.tolist(), *(_amounts(matrix[:, index]) for index in range(2, len(COLUMNS)))]


def _amounts(column: Matrix) -> list[str]:
    distinct, places = np.unique(column, return_inverse=True)
    texts = [usd(cents) for cents in distinct.tolist()]
    return [texts[place] for place in places.tolist()]
