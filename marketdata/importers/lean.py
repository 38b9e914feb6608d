"""Import of LEAN's minute zips: an index day, or an option day with the index day it belongs to.

- An index zip holds one CSV, `20210104_spx_minute_trade.csv`: time, open, high, low, close, volume.
  Times are milliseconds since midnight in **Chicago**, values are points.
- An option zip holds one CSV a contract, `..._quote_european_call_37000000_20210104.csv`: time, bid
  open, high, low, close and size, the same for the ask. Times are milliseconds since midnight in
  **New York**, prices and the strike are x 10000. Only contracts that expire that day are taken.
- A bar is known at its end: the closes of the bar of 9:30 are the tick of 9:31. Nothing of a bar is
  used earlier.
- A minute without a bar had no new quote: the last one stands, as LEAN reads it.
- Bid and ask close at different moments, so some bars close crossed. They are kept and noted; the
  market process drops both sides of them.
- That index and options are in step is checked by put-call parity: if they agree better with the
  index an hour off, the file is refused.
- The official close is the value the index keeps printing after the close, else that of the daily
  closes (as for vendor chains), else unknown. Early closes are the exchange calendar's.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from common.times import NEW_YORK, to_ms
from marketdata import greeks
from marketdata.importers.snapshot_chain import official_close_beside, settled_at
from marketdata.tape.assemble import recorded
from marketdata.tape.build import Snapshot, tick_of
from marketdata.tape.fields import Place, shown
from marketdata.tape.model import Tape, TapeError, hours_of
from simengine.market import CALL, MISSING, PUT, Tick

DEFAULT_HOLD_SECONDS = 90
CHICAGO = ZoneInfo("America/Chicago")
MINUTE_MS = 60_000
DAY_MS = 86_400_000
MAX_FILE_BYTES = 20_000_000
MIN_PARITY_MINUTES = 30
HOUR_MS = 3_600_000
INDEX_NAME = re.compile(r"(\d{8})_([a-z]+)_minute_trade\.csv", re.ASCII)
OPTION_NAME = re.compile(
    r"(\d{8})_[a-z]+_minute_quote_european_(call|put)_(\d{1,12})_(\d{8})\.csv", re.ASCII
)

Closes = dict[int, int]  # the end of a bar, Unix ms -> the close, cents
Quotes = dict[int, tuple[int, int]]  # the end of a bar, Unix ms -> (bid, ask), cents


def read_lean(path: Path) -> Tape:
    """The tape of an index or option zip, a tick a minute (not held). Raises TapeError."""
    names = _names(path)
    is_index = len(names) == 1 and INDEX_NAME.fullmatch(names[0]) is not None
    trading_date = _date(path, names[0])
    hours = hours_of(trading_date)
    if hours is None:
        raise TapeError(path, None, None, f"a trading day, and {trading_date} is none")
    open_ms, close_ms = to_ms(hours[0]), to_ms(hours[1])
    index_path = path if is_index else _index_beside(path, trading_date)
    index = _index(index_path, trading_date)
    notes: Counter[str] = Counter()
    contracts = {} if is_index else _contracts(path, names, trading_date, notes)
    ends = [at for at in sorted(index) if open_ms < at <= close_ms]
    if not ends:
        raise TapeError(index_path, None, None, "a bar within the trading hours")
    ticks = _ticks(ends, index, contracts, notes)
    _check_step(path, ticks, index)
    settlement = settled_at([cents for at, cents in sorted(index.items()) if at > close_ms])
    if settlement is None:
        settlement = official_close_beside(path.parent, trading_date, close_ms)
    return recorded(
        trading_date=trading_date,
        hours=hours,
        ticks=ticks,
        settlement_cents=settlement,
        source=f"lean:{path.name}",
        notes=[f"{count} {what}" for what, count in notes.items() if count],
    )


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as exc:
        raise TapeError(path, None, None, f"a readable zip ({exc})") from exc
    if not names or not (INDEX_NAME.fullmatch(names[0]) or OPTION_NAME.fullmatch(names[0])):
        found = shown(names[0] if names else "")
        raise TapeError(path, None, None, f"minute files of LEAN and found {found}")
    return names


def _date(path: Path, name: str) -> date:
    try:
        return date.fromisoformat(name[:8])
    except ValueError as exc:
        raise TapeError(path, None, None, f"a date in the name {shown(name)}") from exc


def _index_beside(path: Path, trading_date: date) -> Path:
    """The SPX zip of the day: beside the file, or where LEAN's own folders have it."""
    name = f"{trading_date:%Y%m%d}_trade.zip"
    beside = sorted(path.parent.glob(f"*spx_{name}"))
    for folder in path.parents[4:5]:
        beside.append(folder / "index" / "usa" / "minute" / "spx" / name)
    for candidate in beside:
        if candidate.is_file():
            return candidate
    raise TapeError(path, None, None, f"the index beside it, index_usa_minute_spx_{name}")


def _bars(path: Path, name: str, fields: int) -> Iterator[tuple[Place, int, list[str]]]:
    """(place, start of the bar in ms of the local day, fields) of a member."""
    member = path / name
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > MAX_FILE_BYTES:
                raise TapeError(member, None, None, f"at most {MAX_FILE_BYTES} bytes")
            text = archive.read(name).decode("ascii")
    except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError, RuntimeError) as exc:
        raise TapeError(member, None, None, f"a readable file ({exc})") from exc
    previous = -1
    for line, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        place = Place(member, line)
        if len(row) != fields:
            raise place.refuse(None, f"{fields} fields and found {len(row)}")
        start = int(row[0]) if row[0].isascii() and row[0].isdecimal() else DAY_MS
        if start >= DAY_MS or start <= previous:
            raise place.refuse("time", f"growing milliseconds of a day and found {shown(row[0])}")
        previous = start
        yield place, start, row


def _index(path: Path, trading_date: date) -> Closes:
    names = _names(path)
    matched = INDEX_NAME.fullmatch(names[0])
    if len(names) != 1 or matched is None or _date(path, names[0]) != trading_date:
        raise TapeError(path, None, None, f"the index minutes of {trading_date}")
    midnight_ms = _midnight_ms(trading_date, CHICAGO)
    return {
        midnight_ms + start + MINUTE_MS: place.positive_cents("close", row[4])
        for place, start, row in _bars(path, names[0], 6)
    }


def _contracts(
    path: Path, names: Sequence[str], trading_date: date, notes: Counter[str]
) -> dict[tuple[str, int], Quotes]:
    """(right, strike in cents) -> quotes of the contracts that expire on the day."""
    contracts = {}
    midnight_ms = _midnight_ms(trading_date, NEW_YORK)
    for name in names:
        matched = OPTION_NAME.fullmatch(name)
        if matched is None or matched[1] != f"{trading_date:%Y%m%d}":
            raise TapeError(path, None, None, f"option minutes of {trading_date}, not {name}")
        if matched[4] != matched[1]:
            notes["contracts of later expiries left out"] += 1
            continue
        right = CALL if matched[2] == "call" else PUT
        contracts[right, int(matched[3]) // 100] = {
            midnight_ms + start + MINUTE_MS: (
                _price(place, "bid close", row[4]),
                _price(place, "ask close", row[9]),
            )
            for place, start, row in _bars(path, name, 11)
        }
    if not contracts:
        raise TapeError(path, None, None, f"a contract that expires on {trading_date}")
    return contracts


def _price(place: Place, column: str, text: str) -> int:
    """Cents of a price x 10000; MISSING where the side has none."""
    if not text:
        return MISSING
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) % 100:
        raise place.refuse(column, f"whole cents x 100 and found {shown(text)}")
    return int(text) // 100


def _ticks(
    ends: Sequence[int],
    index: Closes,
    contracts: dict[tuple[str, int], Quotes],
    notes: Counter[str],
) -> list[Tick]:
    standing: dict[tuple[str, int], tuple[int, int]] = {}
    ticks: list[Tick] = []
    for at_ms in ends:
        snapshot = Snapshot(at_ms, index[at_ms])
        for (right, strike), quotes in contracts.items():
            fresh = quotes.get(at_ms)
            if fresh is not None:
                standing[right, strike] = fresh
                notes["bars close crossed"] += MISSING < fresh[1] < fresh[0]
            elif (right, strike) in standing:
                notes["quotes stand from an earlier minute"] += 1
            if (right, strike) in standing:
                snapshot.side(right)[strike] = (*standing[right, strike], None)
        ticks.append(tick_of(snapshot, len(ticks) + 1))
    return ticks


def _check_step(path: Path, ticks: Sequence[Tick], index: Closes) -> None:
    """Refuses options that go with the index of an hour earlier or later: a wrong time zone."""
    forwards = {tick.at_ms: forward for tick in ticks if (forward := _forward(tick)) is not None}
    misfits = {}
    for shift in (0, -HOUR_MS, HOUR_MS):
        both = [at for at in forwards if at + shift in index]
        if len(both) < MIN_PARITY_MINUTES:
            continue
        misfits[shift] = float(np.median([abs(forwards[at] - index[at + shift]) for at in both]))
    best = min(misfits, key=lambda shift: misfits[shift], default=0)
    if best and misfits[best] < misfits.get(0, np.inf) / 2:
        hours = best // HOUR_MS
        raise TapeError(
            path,
            None,
            None,
            f"options and index in step; by put-call parity they are {hours:+d} h apart",
        )


def _forward(tick: Tick) -> float | None:
    """By put-call parity, cents; None without a strike that quotes both sides."""
    quotes = greeks.Quotes.of(
        tick.strikes_cents,
        tick.call_bid_cents,
        tick.call_ask_cents,
        tick.put_bid_cents,
        tick.put_ask_cents,
    )
    known = greeks.has_both(quotes).any()
    return greeks.parity_forward(quotes, tick.spot_cents) if known else None


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone))
