"""Small trading days written by hand, as CSV in the tape format.

The chain is the same whatever spot does, so every cent can be worked out on paper. A put at 5945
is quoted 3.00/3.10 and one at a strike 5 points away 0.50 more or less; calls mirror it around
5950. The put spread 5945/5920 (short 3.00/3.10, long 0.50/0.60) so has a mid of 2.50 and a natural
credit of 2.40, the spread 5955/5930 (4.00/4.10, 1.50/1.60) the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from common.times import NEW_YORK

DAY = date(2026, 5, 7)
NEXT_DAY = date(2026, 5, 8)
CLOSE = "16:00:00"
STRIKES = range(5915, 5985, 5)
MOVING_FROM_STRIKE = 5945

_HEADER = ["datetime", "spot", "vix", "expected_move", "type", "strike", "bid", "ask", "delta"]
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class HandTape:
    """One tick a second from `first` (New York) to the close. Each knob maps a time to the value
    that holds from then on.
    """

    day: date = DAY
    first: str = "15:50:00"
    settlement: str | None = "5950.00"  # None: the tape has none, so the last spot counts
    spot: Mapping[str, str] = field(default_factory=dict)
    # Cents on top of every put at or above 5945: moves a spread that is short one of them.
    puts_up_cents: Mapping[str, int] = field(default_factory=dict)
    # Cents by which both sides of every quote move away from its mid.
    wider_cents: Mapping[str, int] = field(default_factory=dict)
    silences: Sequence[tuple[str, str]] = ()  # no tick after the first time until the second

    def write(self, folder: Path) -> Path:
        path = folder / f"{self.day}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(_HEADER)
            for at in self._times():
                writer.writerows(self._rows(at))
            if self.settlement is not None:
                writer.writerow(["#settlement", self.settlement])
        return path

    def _times(self) -> Iterator[str]:
        at = datetime.combine(self.day, time.fromisoformat(self.first))
        while (clock := f"{at:%H:%M:%S}") <= CLOSE:
            if not any(start < clock < end for start, end in self.silences):
                yield clock
            at += timedelta(seconds=1)

    def _rows(self, clock: str) -> Iterator[list[str]]:
        local = datetime.combine(self.day, time.fromisoformat(clock), NEW_YORK)
        index = [
            local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            _current(self.spot, clock, "5950.00"),
            "16.20",
            "21.50",
        ]
        wider = _current(self.wider_cents, clock, 0)
        lift = _current(self.puts_up_cents, clock, 0)
        for strike in STRIKES:
            put = 300 + 10 * (strike - 5945) + (lift if strike >= MOVING_FROM_STRIKE else 0)
            call = 300 - 10 * (strike - 5955)
            steps = (strike - 5945) // 5
            yield [*index, "P", str(strike), *_sides(put, wider), f"{0.30 + 0.04 * steps:.2f}"]
            yield [*index, "C", str(strike), *_sides(call, wider), f"{0.38 - 0.04 * steps:.2f}"]


def _sides(bid_cents: int, wider_cents: int) -> tuple[str, str]:
    bid, ask = max(0, bid_cents - wider_cents), max(5, bid_cents + 10 + wider_cents)
    return f"{bid / 100:.2f}", f"{ask / 100:.2f}"


def _current(knob: Mapping[str, _Value], clock: str, at_first: _Value) -> _Value:
    passed = [at for at in knob if at <= clock]
    return knob[max(passed)] if passed else at_first
