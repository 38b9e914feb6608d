"""The long CSV of a tape, for people: one row a quote, rows of one datetime are one tick (tape.md).

Strict: a time order that breaks, a quote given twice, a number that does not fit or a time outside
the exchange's hours of that day is refused with its line and column. What is merely poor (a crossed
or one-sided quote, a price off the grid, a hole) is kept, and `check` reports it.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TextIO

from common.times import NEW_YORK, from_ms, rfc3339, to_ms
from marketdata.tape.assemble import Columns, contract_of, each_once, recorded
from marketdata.tape.build import Snapshot, tick_of
from marketdata.tape.fields import Place, rows, shown
from marketdata.tape.model import Tape, TapeError, hours_of
from simengine.market import CALL, MISSING, PUT, Tick

HEADER = ["datetime", "spot", "vix", "expected_move", "type", "strike", "bid", "ask", "delta"]
COLUMNS = Columns("datetime", "spot")
SETTLEMENT = "#settlement"


def read_csv(path: Path) -> Tape:
    """The tape of a long CSV. Raises TapeError."""
    reader = _Reader(path)
    ticks = [tick_of(snapshot, seq) for seq, snapshot in enumerate(reader.snapshots(), start=1)]
    if reader.session is None:
        raise TapeError(path, None, None, "at least one row of quotes or index values")
    trading_date, open_ms, close_ms = reader.session
    return recorded(
        trading_date=trading_date,
        hours=(from_ms(open_ms), from_ms(close_ms)),
        ticks=ticks,
        settlement_cents=reader.settlement_cents,
        source=f"csv:{path.name}",
    )


class _Reader:
    """Walks the rows once; knows the session from the first on, the settlement at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session: tuple[date, int, int] | None = None
        self.settlement_cents: int | None = None

    def snapshots(self) -> Iterator[Snapshot]:
        return each_once(self._of_each_row())

    def _of_each_row(self) -> Iterator[Snapshot]:
        current: Snapshot | None = None
        has_header = False
        for place, row in rows(self.path):
            if not has_header:
                _check_header(place, row)
                has_header = True
            elif row[0].startswith("#"):
                self._read_comment(place, row)
            else:
                current = self._read_row(place, row, current)
                yield current
        if not has_header:
            raise TapeError(self.path, 1, None, f"the header {','.join(HEADER)}")

    def _read_comment(self, place: Place, row: list[str]) -> None:
        if row[0] != SETTLEMENT:
            raise place.refuse("datetime", f"a time or a last line {SETTLEMENT},VALUE")
        if len(row) < 2 or any(row[2:]):
            raise place.refuse("settlement", f"one value after {SETTLEMENT}")
        self.settlement_cents = place.positive_cents("settlement", row[1].strip())

    def _read_row(self, place: Place, row: list[str], current: Snapshot | None) -> Snapshot:
        if self.settlement_cents is not None:
            raise place.refuse(None, f"nothing after the line {SETTLEMENT}")
        if len(row) != len(HEADER):
            raise place.refuse(None, f"{len(HEADER)} fields and found {len(row)}")
        at, spot, vix, move, right, strike, bid, ask, delta = (text.strip() for text in row)
        at_ms = self._at_ms(place, at)
        snapshot = COLUMNS.snapshot(place, current, at_ms, place.positive_cents("spot", spot))
        _read_index(place, snapshot, "vix", "vix_hundredths", vix)
        _read_index(place, snapshot, "expected_move", "expected_move_cents", move)
        _read_quote(place, snapshot, right, strike, (bid, ask, delta))
        return snapshot

    def _at_ms(self, place: Place, text: str) -> int:
        at_ms = place.at_ms("datetime", text)
        if self.session is None:
            self.session = _session_of(place, at_ms)
        trading_date, open_ms, close_ms = self.session
        if not open_ms <= at_ms <= close_ms:
            raise place.refuse(
                "datetime",
                f"a time of the session of {trading_date}, {rfc3339(from_ms(open_ms))} to"
                f" {rfc3339(from_ms(close_ms))}, and found {shown(text)}",
            )
        return at_ms


def _check_header(place: Place, row: list[str]) -> None:
    found = [name.strip() for name in row]
    if found != HEADER:
        raise place.refuse(None, f"the header {','.join(HEADER)}")


def _session_of(place: Place, at_ms: int) -> tuple[date, int, int]:
    trading_date = from_ms(at_ms).astimezone(NEW_YORK).date()
    hours = hours_of(trading_date)
    if hours is None:
        raise place.refuse(
            "datetime", f"a trading day, and the exchange is closed on {trading_date}"
        )
    return trading_date, to_ms(hours[0]), to_ms(hours[1])


def _read_index(place: Place, snapshot: Snapshot, column: str, attribute: str, text: str) -> None:
    if not text:
        return
    value = place.cents(column, text)
    if getattr(snapshot, attribute) not in (None, value):
        raise place.refuse(column, "the same value in all rows of one datetime")
    setattr(snapshot, attribute, value)


def _read_quote(
    place: Place, snapshot: Snapshot, right: str, strike: str, quote: tuple[str, str, str]
) -> None:
    bid, ask, delta = quote
    if not right:
        for column, text in (("strike", strike), ("bid", bid), ("ask", ask), ("delta", delta)):
            if text:
                raise place.refuse(column, "nothing in a row without a type")
        return
    values = (
        place.cents("bid", bid) if bid else MISSING,
        place.cents("ask", ask) if ask else MISSING,
        place.unit_e4("delta", delta) if delta else None,
    )
    COLUMNS.put(place, snapshot, contract_of(place, right, strike), values)


def write_csv(tape: Tape, path: Path) -> None:
    """The long CSV of a tape; reads back to the same ticks. Gzipped where the name ends in .gz."""
    with ExitStack() as stack:
        if path.suffix == ".gz":
            raw = stack.enter_context(path.open("wb"))
            packed = stack.enter_context(
                gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="")
            )
            stream: TextIO = stack.enter_context(
                io.TextIOWrapper(packed, encoding="utf-8", newline="")
            )
        else:
            stream = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        _write(tape, stream)


def _write(tape: Tape, stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    for tick in tape.ticks:
        writer.writerows(_rows_of(tick))
    if tape.settlement_cents is not None:
        writer.writerow([SETTLEMENT, _decimal(tape.settlement_cents)])


def _rows_of(tick: Tick) -> Iterator[list[str]]:
    index = [
        rfc3339(from_ms(tick.at_ms)).replace(".000Z", "Z"),
        _decimal(tick.spot_cents),
        _optional(tick.vix_hundredths),
        _optional(tick.expected_move_cents),
    ]
    empty = True
    sides = (
        (PUT, tick.put_bid_cents, tick.put_ask_cents, tick.put_delta_e4),
        (CALL, tick.call_bid_cents, tick.call_ask_cents, tick.call_delta_e4),
    )
    for right, bids, asks, deltas in sides:
        for strike, bid, ask, delta in zip(tick.strikes_cents, bids, asks, deltas, strict=True):
            if bid == ask == MISSING:
                continue
            empty = False
            values = [_decimal(strike).removesuffix(".00"), _side(bid), _side(ask)]
            yield [*index, right, *values, "" if delta == MISSING else f"{delta / 10_000:.4f}"]
    if empty:
        yield [*index, "", "", "", "", ""]


def _side(cents: int) -> str:
    return "" if cents == MISSING else _decimal(cents)


def _optional(cents: int | None) -> str:
    return "" if cents is None else _decimal(cents)


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
