"""Every tick is a guest: checked before it enters the log, whatever feed it comes from.

A tick that cannot be placed (time outside the session or not growing, no usable spot, columns that
do not fit each other) is refused. A value that cannot be (no whole number, negative, absurdly high,
an impossible delta) and both sides of a crossed quote become missing. Prices off the exchange's
grid stay. All of it is counted; what passes is renumbered without a gap.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from marketdata.tape.check import off_grid
from simengine.market import MISSING, Tick, rows_of

MAX_SPOT_CENTS = 100_000_00
MAX_MOVE = 0.10  # of spot from one tick to the next
MOVE_BELIEVED_AFTER = 5  # ticks in a row that insist on the new level
MAX_VIX_HUNDREDTHS = 200_00
MAX_LAG_MS = 3_600_000
QUOTE_COLUMNS = ("call_bid_cents", "call_ask_cents", "put_bid_cents", "put_ask_cents")
DELTA_COLUMNS = ("call_delta_e4", "put_delta_e4")


class Validator:
    """Checks the ticks of one day in order. `counts` says what was refused, dropped or reported."""

    def __init__(
        self, *, open_ms: int, close_ms: int, last_seq: int = 0, last_at_ms: int | None = None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._open_ms = open_ms
        self._close_ms = close_ms
        self._seq = last_seq
        self._last_at_ms = last_at_ms
        self._last_spot: int | None = None
        self._insisted = 0
        self._strikes: tuple[Sequence[int], Mapping[int, int]] | None = None

    def clean(self, ticks: Iterable[Tick]) -> Iterator[Tick]:
        for tick in ticks:
            accepted = self.accept(tick)
            if accepted is not None:
                yield accepted

    def accept(self, tick: Tick) -> Tick | None:
        """The tick as it may enter the log, with its place there; None where it may not."""
        reason = self._refusal(tick)
        if reason is not None:
            self.counts[f"tick refused: {reason}"] += 1
            return None
        changes = self._mended_index(tick) | self._mended_quotes(tick)
        self._seq += 1
        self._last_at_ms, self._last_spot, self._insisted = tick.at_ms, tick.spot_cents, 0
        if tick.seq != self._seq:
            changes["seq"] = self._seq
        return replace(tick, **changes) if changes else tick

    def _refusal(self, tick: Tick) -> str | None:
        if not _is_int(tick.at_ms) or not self._open_ms <= tick.at_ms <= self._close_ms:
            return "outside the session"
        if self._last_at_ms is not None and tick.at_ms <= self._last_at_ms:
            return "time does not grow"
        if not _is_int(tick.spot_cents) or not 0 < tick.spot_cents < MAX_SPOT_CENTS:
            return "no usable spot"
        if not self._columns_fit(tick):
            return "columns do not fit"
        if self._last_spot and abs(tick.spot_cents / self._last_spot - 1) > MAX_MOVE:
            self._insisted += 1
            if self._insisted < MOVE_BELIEVED_AFTER:
                return "spot leaps"
        return None

    def _columns_fit(self, tick: Tick) -> bool:
        count = len(tick.strikes_cents)
        if any(len(getattr(tick, name)) != count for name in (*QUOTE_COLUMNS, *DELTA_COLUMNS)):
            return False
        known = (tick.strikes_cents, tick.row_of_strike)
        if self._strikes is not None and all(map(operator.is_, self._strikes, known)):
            return True  # shared by many ticks, so checked once
        if not _are_strikes(tick.strikes_cents) or tick.row_of_strike != rows_of(known[0]):
            return False
        self._strikes = known
        return True

    def _mended_index(self, tick: Tick) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        lag_ms = tick.received_ms - tick.at_ms if _is_int(tick.received_ms) else -1
        if not 0 <= lag_ms <= MAX_LAG_MS:
            changes["received_ms"] = tick.at_ms
        vix, move = tick.vix_hundredths, tick.expected_move_cents
        if vix is not None and not (_is_int(vix) and 0 < vix <= MAX_VIX_HUNDREDTHS):
            changes["vix_hundredths"] = None
        if move is not None and not (_is_int(move) and 0 <= move < tick.spot_cents):
            changes["expected_move_cents"] = None
        for name in changes:
            self.counts[f"{name} dropped"] += 1
        return changes

    def _mended_quotes(self, tick: Tick) -> dict[str, Any]:
        if not tick.strikes_cents:
            return {}
        ceiling = 2 * max(tick.spot_cents, tick.strikes_cents[-1])
        before = {name: getattr(tick, name) for name in (*QUOTE_COLUMNS, *DELTA_COLUMNS)}
        after = {name: self._bounded(before[name], ceiling) for name in QUOTE_COLUMNS}
        after |= {name: self._bounded(before[name], 10_000) for name in DELTA_COLUMNS}
        for side in ("call", "put"):
            bids, asks = after[f"{side}_bid_cents"], after[f"{side}_ask_cents"]
            crossed = (bids >= 0) & (asks >= 0) & (asks < bids)
            if crossed.any():
                self.counts["quotes dropped: crossed"] += int(crossed.sum())
                bids[crossed] = asks[crossed] = MISSING
            strange = off_grid(bids) | off_grid(asks)
            if strange.any():
                self.counts["quotes off the grid"] += int(strange.sum())
        return {
            name: values
            for name, array in after.items()
            if (values := array.tolist()) != before[name]
        }

    def _bounded(self, column: list[Any], ceiling: int) -> Any:
        """The column as integers, MISSING for what is no whole number from 0 to `ceiling`."""
        try:
            values = np.array(column)
        except (ValueError, TypeError, OverflowError):
            values = np.array([math.nan])
        if values.dtype.kind != "i" or values.shape != (len(column),):
            values = np.array([value if _is_int(value) else MISSING - 1 for value in column])
        impossible = (values < MISSING) | (values > ceiling)
        if impossible.any():
            self.counts["values dropped: impossible"] += int(impossible.sum())
            values = np.where(impossible, MISSING, values)
        return values.astype(np.int64)


def _is_int(value: Any) -> bool:
    return type(value) is int


def _are_strikes(strikes: Sequence[Any]) -> bool:
    if not all(_is_int(strike) and 0 < strike < MAX_SPOT_CENTS for strike in strikes):
        return False
    return all(low < high for low, high in pairwise(strikes))
