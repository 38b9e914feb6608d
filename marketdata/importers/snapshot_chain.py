"""Import of vendor chain snapshots:
`ts_utc,ts_et,type,strike,bid,ask,volume,open_interest,iv,under_px`.

- The rows of one `ts_utc` are one snapshot, `under_px` its spot. Both times must be the same
  moment.
- A zero bid beside a zero ask is no quote at all. A zero bid beside an ask is a present bid.
- Strikes beyond 12 % of spot are left out (same-day options there trade at nothing but the
  intrinsic value); the number of rows left out is noted. Every quote within is kept as it is.
- Snapshots outside the exchange's hours are left out and noted; so are those without a spot.
- There is no VIX. Deltas and the expected move are computed (marketdata.greeks); the vendor's `iv`
  is zero or stale too often to use.
- The official close is looked up beside the file: the value an `index_*.csv` keeps printing after
  the close of that date, else the `close` of that date in `extra/spx_daily.csv`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

from common.times import NEW_YORK, from_ms, to_ms
from marketdata.tape.assemble import Columns, contract_of, each_once, recorded
from marketdata.tape.build import Snapshot, tick_of
from marketdata.tape.fields import Place, header, rows, shown
from marketdata.tape.model import Tape, TapeError, hours_of

HEADER = [
    "ts_utc",
    "ts_et",
    "type",
    "strike",
    "bid",
    "ask",
    "volume",
    "open_interest",
    "iv",
    "under_px",
]
KEPT_WITHIN = Decimal("0.12")
DEFAULT_HOLD_SECONDS = 90
PRINTS_AFTER_THE_CLOSE = 2
COLUMNS = Columns("ts_utc", "under_px")


def read_snapshot_chain(path: Path) -> Tape:
    """The tape of a chain file, as recorded (not held). Raises TapeError."""
    left_out: Counter[str] = Counter()
    snapshots = list(each_once(_snapshot_of_each_row(path, left_out)))
    if not snapshots:
        raise TapeError(path, None, None, "at least one snapshot with a spot")
    trading_date = from_ms(snapshots[0].at_ms).astimezone(NEW_YORK).date()
    hours = hours_of(trading_date)
    if hours is None:
        raise TapeError(path, 2, "ts_utc", f"a trading day, and {trading_date} is none")
    first_ms, last_ms = to_ms(hours[0]), to_ms(hours[1])
    inside = [snapshot for snapshot in snapshots if first_ms <= snapshot.at_ms <= last_ms]
    left_out["snapshots outside trading hours"] += len(snapshots) - len(inside)
    if not inside:
        raise TapeError(path, None, None, f"a snapshot within the trading hours of {trading_date}")
    ticks = [tick_of(snapshot, seq) for seq, snapshot in enumerate(inside, start=1)]
    return recorded(
        trading_date=trading_date,
        hours=hours,
        ticks=ticks,
        settlement_cents=official_close_beside(path, trading_date, last_ms),
        source=f"snapshot_chain:{path.name}",
        notes=[f"left out: {count} {what}" for what, count in left_out.items() if count],
    )


def _snapshot_of_each_row(path: Path, left_out: Counter[str]) -> Iterator[Snapshot]:
    current: Snapshot | None = None
    lines = rows(path)
    next(lines)
    for place, row in lines:
        if len(row) != len(HEADER):
            raise place.refuse(None, f"{len(HEADER)} fields and found {len(row)}")
        at_ms = _moment(place, row[0], row[1], current)
        if not row[9]:
            left_out["rows without a spot"] += 1
            continue
        spot_cents = _index_cents(place, "under_px", row[9])
        current = COLUMNS.snapshot(place, current, at_ms, spot_cents)
        _take_quote(place, current, row, left_out)
        yield current


def _moment(place: Place, utc: str, exchange: str, current: Snapshot | None) -> int:
    at_ms = place.at_ms("ts_utc", utc)
    if place.at_ms("ts_et", exchange) != at_ms:
        raise place.refuse("ts_et", f"the same moment as ts_utc, {utc}")
    same_day = current is None or (
        from_ms(at_ms).astimezone(NEW_YORK).date()
        == from_ms(current.at_ms).astimezone(NEW_YORK).date()
    )
    if not same_day:
        raise place.refuse("ts_utc", "one trading day in a file")
    return at_ms


def _take_quote(place: Place, snapshot: Snapshot, row: list[str], left_out: Counter[str]) -> None:
    contract = contract_of(place, row[2], row[3])
    bid_cents, ask_cents = place.cents("bid", row[4]), place.cents("ask", row[5])
    if bid_cents == ask_cents == 0:
        left_out["contracts in a snapshot without any quote"] += 1
        return
    if abs(contract[1] - snapshot.spot_cents) > KEPT_WITHIN * snapshot.spot_cents:
        left_out["quotes more than 12 % from spot"] += 1
        return
    COLUMNS.put(place, snapshot, contract, (bid_cents, ask_cents, None))


def _index_cents(place: Place, column: str, text: str) -> int:
    """Index values come with binary noise (5909.4800000000005); they are meant to the cent."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value < 1_000_000:
        raise place.refuse(column, f"an index value and found {shown(text)}")
    return int((value * 100).to_integral_value(ROUND_HALF_EVEN))


def official_close_beside(path: Path, trading_date: date, close_ms: int) -> int | None:
    """In cents; None where no companion file of the same folder knows the day."""
    for companion in sorted(path.parent.glob("index_*.csv")):
        cents = _last_print(companion, trading_date, close_ms)
        if cents is not None:
            return cents
    daily = path.parent / "extra" / "spx_daily.csv"
    return _daily_close(daily, trading_date) if daily.exists() else None


def _last_print(path: Path, trading_date: date, close_ms: int) -> int | None:
    """What the index of that file settled at."""
    if header(path) != ["ts_utc", "ts_et", "under_px"]:
        return None
    prints: list[int] = []
    lines = rows(path)
    next(lines)
    for place, row in lines:
        at_ms = place.at_ms("ts_utc", row[0])
        is_that_day = from_ms(at_ms).astimezone(NEW_YORK).date() == trading_date
        if is_that_day and at_ms > close_ms and row[2]:
            prints.append(_index_cents(place, "under_px", row[2]))
    return settled_at(prints)


def settled_at(prints: Sequence[int]) -> int | None:
    """The last of the values an index printed after the close, if it printed it more than once."""
    is_settled = bool(prints) and prints.count(prints[-1]) >= PRINTS_AFTER_THE_CLOSE
    return prints[-1] if is_settled else None


def _daily_close(path: Path, trading_date: date) -> int | None:
    names = header(path)
    if "date" not in names or "close" not in names:
        return None
    wanted = trading_date.isoformat()
    for place, row in rows(path):
        if row[names.index("date")] == wanted:
            return _index_cents(place, "close", row[names.index("close")])
    return None
