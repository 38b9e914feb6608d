"""What a tape is worth: the report of the import gate (tape.md). Reports, never refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from common.times import from_ms, rfc3339
from marketdata import greeks
from marketdata.tape.model import Tape, digest_of
from simengine.market import Tick

HOLE_MS = 60_000
COARSE_FROM_CENTS = 300  # prices above move in dimes, up to it in nickels (domain.md section 2)


@dataclass(frozen=True, slots=True)
class Report:
    """Counts are of quotes (a contract in a tick); offsets and differences are in cents."""

    ticks: int
    first_at: datetime
    last_at: datetime
    strikes: int  # the most any tick has
    quotes: int
    crossed: int
    locked: int
    one_sided: int
    off_grid: int
    zero_bids: int
    holes: tuple[tuple[datetime, int], ...]  # (start, seconds) of every gap above a minute
    median_gap_ms: int
    parity_offset_median_cents: float  # parity forward - spot
    parity_offset_max_cents: float  # the largest either way
    last_spot_cents: int
    settlement_cents: int | None
    digest_is_right: bool

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "first_at": rfc3339(self.first_at),
            "last_at": rfc3339(self.last_at),
            "holes": [{"after": rfc3339(at), "seconds": seconds} for at, seconds in self.holes],
        }


def check(tape: Tape) -> Report:
    """Walk the whole tape once."""
    counts: Counter[str] = Counter()
    times: list[int] = []
    offsets: list[float] = []
    strikes = 0
    for tick in tape.ticks:
        times.append(tick.at_ms)
        strikes = max(strikes, len(tick.strikes_cents))
        counts.update(quote_counts(tick))
        offset = _parity_offset(tick)
        if offset is not None:
            offsets.append(offset)
    gaps = np.diff(np.array(times)) if len(times) > 1 else np.zeros(0)
    digest = digest_of(tape.trading_date, tape.settlement_cents, tape.held_seconds, tape.ticks)
    return Report(
        ticks=len(times),
        first_at=from_ms(times[0]),
        last_at=from_ms(times[-1]),
        strikes=strikes,
        quotes=counts["quotes"],
        crossed=counts["crossed"],
        locked=counts["locked"],
        one_sided=counts["one_sided"],
        off_grid=counts["off_grid"],
        zero_bids=counts["zero_bids"],
        holes=tuple(
            (from_ms(times[row]), int(gaps[row]) // 1000)
            for row in np.flatnonzero(gaps > HOLE_MS).tolist()
        ),
        median_gap_ms=int(np.median(gaps)) if gaps.size else 0,
        parity_offset_median_cents=float(np.median(offsets)) if offsets else 0.0,
        parity_offset_max_cents=max((abs(offset) for offset in offsets), default=0.0),
        last_spot_cents=tape.ticks[-1].spot_cents,
        settlement_cents=tape.settlement_cents,
        digest_is_right=digest == tape.digest,
    )


def quote_counts(tick: Tick) -> dict[str, int]:
    """How many quotes the tick has, and how many are crossed, locked, one-sided and so on."""
    bids = np.array([tick.call_bid_cents, tick.put_bid_cents], dtype=np.int64)
    asks = np.array([tick.call_ask_cents, tick.put_ask_cents], dtype=np.int64)
    has_bid, has_ask = bids >= 0, asks >= 0
    both = has_bid & has_ask
    return {
        "quotes": int(np.count_nonzero(has_bid | has_ask)),
        "crossed": int(np.count_nonzero(both & (asks < bids))),
        "locked": int(np.count_nonzero(both & (asks == bids) & (asks > 0))),
        "one_sided": int(np.count_nonzero(has_bid ^ has_ask)),
        "off_grid": int(np.count_nonzero(off_grid(bids) | off_grid(asks))),
        "zero_bids": int(np.count_nonzero(bids == 0)),
    }


def off_grid(prices: Any) -> Any:
    """Which prices (cents) are no multiple of the exchange's tick."""
    grid = np.where(prices > COARSE_FROM_CENTS, 10, 5)
    return (prices >= 0) & (prices % grid != 0)


def _parity_offset(tick: Tick) -> float | None:
    if not tick.strikes_cents:
        return None
    quotes = greeks.Quotes.of(
        tick.strikes_cents,
        tick.call_bid_cents,
        tick.call_ask_cents,
        tick.put_bid_cents,
        tick.put_ask_cents,
    )
    forward = greeks.parity_forward(quotes, tick.spot_cents)
    return forward - tick.spot_cents
