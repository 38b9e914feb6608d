"""A tape: one recorded trading day, and what is wrong with a file that is none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path

from common.times import NEW_YORK, from_ms, to_ms
from marketdata import calendar, codec
from simengine.market import Tick

SYMBOL_ROOT = "SPXW"
OFFICIAL = "official"
LAST_SPOT = "last_spot"


class TapeError(Exception):
    """A file no tape can be made of: where, and what was expected there.

    Prints as `file:line: column: expected ...`; a packed file has neither line nor column.
    """

    def __init__(self, file: Path | str, line: int | None, column: str | None, expected: str):
        place = str(file) if line is None else f"{file}:{line}"
        what = "" if column is None else f" {column}:"
        super().__init__(f"{place}:{what} expected {expected}")
        self.file = str(file)
        self.line = line
        self.column = column
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Tape:
    """One day's ticks in time order, `seq` 1, 2, 3 … without a gap, all within the exchange's
    hours.
    """

    trading_date: date
    open_at: datetime
    close_at: datetime
    ticks: Sequence[Tick]
    settlement_cents: int | None  # the official close; None where the recording has none
    settlement_source: str  # OFFICIAL, or "" without a settlement
    source: str  # where the recording came from, in a few words
    held_seconds: int  # sparser snapshots were repeated for at most this long; 0: as recorded
    digest: str  # see `digest_of`
    notes: tuple[str, ...] = ()  # what the import left out, one sentence each

    @property
    def settlement(self) -> tuple[int, str]:
        """(cents, source) the day settles at: official, else the last spot and saying so."""
        if self.settlement_cents is not None:
            return self.settlement_cents, self.settlement_source
        return self.ticks[-1].spot_cents, LAST_SPOT

    def with_ticks(self, ticks: Sequence[Tick], *, held_seconds: int) -> Tape:
        digest = digest_of(self.trading_date, self.settlement_cents, held_seconds, ticks)
        return replace(self, ticks=ticks, held_seconds=held_seconds, digest=digest)

    def with_settlement(self, cents: int) -> Tape:
        digest = digest_of(self.trading_date, cents, self.held_seconds, self.ticks)
        return replace(self, settlement_cents=cents, settlement_source=OFFICIAL, digest=digest)


def hours_of(trading_date: date) -> tuple[datetime, datetime] | None:
    """The exchange's hours; for a weekday outside our calendar's years, 9:30 to 16:00 New York."""
    try:
        return calendar.hours(trading_date)
    except calendar.OutsideCalendar:
        if trading_date.weekday() >= 5:
            return None
        opening, closing = (
            from_ms(to_ms(datetime.combine(trading_date, at, NEW_YORK)))
            for at in (time(9, 30), time(16))
        )
        return opening, closing


class Digest:
    """SHA-256 over what a tape says, whatever file it came in and whatever engine reads it.

    Fed with the root symbol, date, settlement and hold, then each tick as `codec.plain` gives it,
    preceded by its length. Seq is the order itself.
    """

    def __init__(self, trading_date: date, settlement_cents: int | None, held_seconds: int):
        about = f"zerohour-tape-1 {SYMBOL_ROOT} {trading_date} {settlement_cents} {held_seconds}\n"
        self._hash = hashlib.sha256(about.encode())

    def add(self, tick: Tick) -> None:
        payload = codec.plain(tick)
        self._hash.update(len(payload).to_bytes(4, "little"))
        self._hash.update(payload)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def digest_of(
    trading_date: date, settlement_cents: int | None, held_seconds: int, ticks: Iterable[Tick]
) -> str:
    digest = Digest(trading_date, settlement_cents, held_seconds)
    for tick in ticks:
        digest.add(tick)
    return digest.hexdigest()
