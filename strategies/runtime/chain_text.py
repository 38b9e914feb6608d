"""The chain of a tick as JSON text, made once for every program called on that tick.

The columns are most of a view: as text they cross into a worker in a tenth of the time, and only a
program that asks for a quote pays for reading them.
"""

from __future__ import annotations

import json
from typing import Any

from strategies.runtime.prelude.quotes import COLUMNS


class ChainText:
    """Remembers the text of the last tick's columns, recognised by being the same objects."""

    def __init__(self) -> None:
        self._columns: list[Any] = []
        self._text = ""

    def of(self, view: dict[str, Any]) -> dict[str, Any]:
        """`view` with its columns replaced by the text under "chain"."""
        columns = [view[name] for name in COLUMNS]
        is_same_tick = bool(self._columns) and all(
            mine is given for mine, given in zip(self._columns, columns, strict=True)
        )
        if not is_same_tick:
            chain = {name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}
            self._text = json.dumps(chain, separators=(",", ":"))
            self._columns = columns
        sent = {key: value for key, value in view.items() if key not in _COLUMN_SET}
        sent["chain"] = self._text
        return sent


_COLUMN_SET = frozenset(COLUMNS)
