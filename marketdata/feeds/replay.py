"""A recorded day as a feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from common.times import to_ms
from marketdata import calendar
from marketdata.tape.model import Tape
from simengine.market import Tick


class ReplayFeed:
    """The ticks of a tape, as they were recorded. `path` is its packed file."""

    def __init__(self, tape: Tape, path: Path) -> None:
        self.tape = tape
        self.path = path

    @property
    def trading_date(self) -> date:
        return self.tape.trading_date

    @property
    def open_at(self) -> datetime:
        return self.tape.open_at

    @property
    def close_at(self) -> datetime:
        return self.tape.close_at

    @property
    def source(self) -> str:
        return f"tape:{self.tape.digest[:12]}"

    @property
    def source_options(self) -> dict[str, Any]:
        return {
            "kind": "tape",
            "path": str(self.path),
            "digest": self.tape.digest,
            "settlement": list(self.tape.settlement),  # for the day the file is gone
        }

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        return (self.tape.ticks[row] for row in range(after_seq, len(self.tape.ticks)))

    def settlement(self) -> tuple[int, str]:
        return self.tape.settlement


class RedatedFeed(ReplayFeed):
    """A recorded day once more, as if it were another: same seconds after the open, same prices.

    Raises ValueError for a date whose session is not as long as the recorded one.
    """

    def __init__(self, tape: Tape, path: Path, trading_date: date) -> None:
        super().__init__(tape, path)
        hours = calendar.hours(trading_date)
        if hours is None or hours[1] - hours[0] != tape.close_at - tape.open_at:
            raise ValueError(f"{trading_date} has other hours than {tape.trading_date}")
        self._trading_date, self._hours = trading_date, hours

    @classmethod
    def after(cls, feed: ReplayFeed, last: date) -> RedatedFeed:
        """On the first date after `last` with the same hours. Raises calendar.OutsideCalendar."""
        length = feed.close_at - feed.open_at
        day = calendar.next_trading_day(last)
        while (hours := calendar.hours(day)) is None or hours[1] - hours[0] != length:
            day = calendar.next_trading_day(day)
        return cls(feed.tape, feed.path, day)

    @property
    def trading_date(self) -> date:
        return self._trading_date

    @property
    def open_at(self) -> datetime:
        return self._hours[0]

    @property
    def close_at(self) -> datetime:
        return self._hours[1]

    @property
    def source_options(self) -> dict[str, Any]:
        """Not the tape's own keys: this day is packed to a tape of its own."""
        return {
            "kind": "tape_again",
            "of_path": str(self.path),
            "of_digest": self.tape.digest,
            "settlement": list(self.tape.settlement),
        }

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        later_ms = to_ms(self.open_at) - to_ms(self.tape.open_at)
        return (
            replace(tick, at_ms=tick.at_ms + later_ms, received_ms=tick.received_ms + later_ms)
            for tick in super().ticks(after_seq)
        )
