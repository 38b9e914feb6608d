"""A day's index line: spot, VIX and expected move by time, from the log or later its tape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from common.times import to_ms
from marketdata.models import MarketDay, Tick


class IndexRow(NamedTuple):
    at_ms: int  # Unix milliseconds UTC
    spot_cents: int
    vix_hundredths: int | None
    expected_move_cents: int | None


COLUMNS = list(IndexRow._fields)


def rows_after(trading_date: date, after_seq: int, limit: int) -> list[tuple[int, IndexRow]]:
    """(seq, row) of at most `limit` ticks of the log after `after_seq`, in order."""
    ticks = Tick.objects.filter(trading_date=trading_date, seq__gt=after_seq).order_by("seq")
    found = ticks.values_list("seq", "at", *COLUMNS[1:])[:limit]
    return [(seq, IndexRow(to_ms(at), *values)) for seq, at, *values in found]


def line_of(day: MarketDay, interval_seconds: int) -> list[IndexRow]:
    """The day's line: the last tick of each interval, intervals counted from the open."""
    rows = _from_log(day)
    if not rows and day.tape_path and Path(day.tape_path).is_file():
        rows = _from_tape(Path(day.tape_path))
    return list(_last_of_each(rows, to_ms(day.open_at), interval_seconds * 1000))


def _from_log(day: MarketDay) -> list[IndexRow]:
    found = Tick.objects.filter(trading_date=day.trading_date).order_by("seq")
    return [IndexRow(to_ms(at), *v) for at, *v in found.values_list("at", *COLUMNS[1:])]


def _from_tape(path: Path) -> list[IndexRow]:
    table = pq.read_table(path, columns=COLUMNS)
    return list(map(IndexRow, *(table[name].to_pylist() for name in COLUMNS)))


def _last_of_each(rows: Iterable[IndexRow], open_ms: int, interval_ms: int) -> Iterator[IndexRow]:
    previous: IndexRow | None = None
    for row in rows:
        if previous is not None and (
            (row.at_ms - open_ms) // interval_ms != (previous.at_ms - open_ms) // interval_ms
        ):
            yield previous
        previous = row
    if previous is not None:
        yield previous
