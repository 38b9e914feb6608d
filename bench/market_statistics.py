"""What a market looks like in numbers: the same statistics of a recorded and of a made-up day.

Used by tests/marketdata/test_realism.py and by bench/market_plots.py. All prices in cents, all
shares from 0 to 1. A statistic takes ticks of any spacing; pass the stretch of the day it is about
(`between`), for a day's opening, afternoon and last minutes are different markets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time

import numpy as np
from numpy.typing import NDArray

from common.times import NEW_YORK, from_ms
from marketdata import greeks
from simengine.market import Tick

Floats = NDArray[np.float64]

# Mids from (exclusive) to (inclusive), in cents; the buckets of ../shared/data/README.md.
PRICE_BUCKETS = (
    (0, 50),
    (50, 100),
    (100, 300),
    (300, 1_000),
    (1_000, 3_000),
    (3_000, 10_000),
    (10_000, 100_000),
)
DISTANCE_BUCKETS = ((0, 25), (25, 50), (50, 75), (75, 100), (100, 200))  # points out of the money
STRADDLE_TIMES = (time(13), time(13, 51), time(14, 8), time(14, 58), time(15, 33), time(15, 52))
MOVE_SECONDS = 70
NEAR_CENTS = 10_000
SPREADS_WITHIN_CENTS = 40_000  # of spot: as far as a synthetic chain goes


def between(ticks: Iterable[Tick], start: time, end: time) -> list[Tick]:
    """The ticks from `start` (inclusive) to `end` (exclusive), New York time."""
    return [tick for tick in ticks if start <= _clock(tick) < end]


def spreads(ticks: Iterable[Tick]) -> dict[tuple[int, int], tuple[float, float, float]]:
    """Median, 90 % and 99 % of the spread by the mid's bucket, SPREADS_WITHIN_CENTS of spot."""
    mids, widths = [], []
    for tick in ticks:
        bids, asks = _sides(tick)
        near = np.abs(np.asarray(tick.strikes_cents) - tick.spot_cents) <= SPREADS_WITHIN_CENTS
        usable = near & (bids >= 0) & (asks >= bids) & (asks > 0)
        mids.append(((bids + asks) / 2)[usable])
        widths.append((asks - bids)[usable])
    mid, width = np.concatenate(mids), np.concatenate(widths)
    found = {}
    for low, high in PRICE_BUCKETS:
        inside = width[(mid > low) & (mid <= high)]
        median, nine_in_ten, most = np.quantile(inside, (0.5, 0.9, 0.99))
        found[low, high] = (float(median), float(nine_in_ten), float(most))
    return found


def zero_bids(ticks: Iterable[Tick]) -> dict[tuple[int, int], float]:
    """The share of quotes with a bid of zero by distance out of the money."""
    points, zeros = [], []
    for tick in ticks:
        bids, _ = _sides(tick)
        away = (np.asarray(tick.strikes_cents) - tick.spot_cents) / 100
        for side, distance in ((bids[0], away), (bids[1], -away)):
            points.append(distance[side >= 0])
            zeros.append(side[side >= 0] == 0)
    far, zero = np.concatenate(points), np.concatenate(zeros)
    return {
        (low, high): float(np.mean(zero[(far > low) & (far <= high)]))
        for low, high in DISTANCE_BUCKETS
    }


def straddles(ticks: Sequence[Tick]) -> dict[time, float]:
    """The at-the-money straddle at STRADDLE_TIMES: the last tick that has one by then."""
    found: dict[time, float] = {}
    for tick in ticks:
        if tick.expected_move_cents is not None:
            for at in STRADDLE_TIMES:
                if _clock(tick) < time(at.hour, at.minute, 59):
                    found[at] = float(tick.expected_move_cents)
    return found


def decay(ticks: Sequence[Tick]) -> dict[time, float]:
    """The straddle over that of 13:00."""
    known = straddles(ticks)
    return {at: value / known[STRADDLE_TIMES[0]] for at, value in known.items()}


def moves(ticks: Sequence[Tick]) -> Floats:
    """How far the spot went from tick to tick, about MOVE_SECONDS apart, over the spot: 1e-4."""
    at = np.array([tick.at_ms for tick in ticks]) / 1000
    spot = np.array([tick.spot_cents for tick in ticks], dtype=float)
    after = np.searchsorted(at, at + MOVE_SECONDS - 5)
    first = np.flatnonzero(after < len(at))
    then = after[first]
    close_enough = at[then] - at[first] <= MOVE_SECONDS + 20
    first, then = first[close_enough], then[close_enough]
    return np.asarray(np.abs(spot[then] - spot[first]) / spot[first] * 10_000)


def out_of_order(ticks: Iterable[Tick]) -> float:
    """The share of neighbouring strikes, NEAR_CENTS around spot, whose mids are the wrong way
    round.
    """
    wrong = pairs = 0
    for tick in ticks:
        bids, asks = _sides(tick)
        strikes = np.asarray(tick.strikes_cents)
        near = np.abs(strikes - tick.spot_cents) <= NEAR_CENTS
        for row, sign in ((0, 1), (1, -1)):
            usable = near & (bids[row] >= 0) & (asks[row] >= bids[row]) & (asks[row] > 0)
            steps = np.diff((bids[row] + asks[row])[usable]) * sign
            wrong += int(np.count_nonzero(steps > 0))
            pairs += len(steps)
    return wrong / pairs


def forward_offsets(ticks: Iterable[Tick]) -> Floats:
    """Parity forward minus spot: quotes and index are not in step."""
    return np.array(
        [greeks.parity_forward(_quotes(tick), tick.spot_cents) - tick.spot_cents for tick in ticks]
    )


def unquoted(ticks: Iterable[Tick], within_cents: int = NEAR_CENTS) -> float:
    """The share of contracts around spot without any quote."""
    missing = contracts = 0
    for tick in ticks:
        bids, asks = _sides(tick)
        near = np.abs(np.asarray(tick.strikes_cents) - tick.spot_cents) <= within_cents
        missing += int(np.count_nonzero((bids[:, near] < 0) & (asks[:, near] < 0)))
        contracts += 2 * int(np.count_nonzero(near))
    return missing / contracts


def in_the_money_spread(ticks: Iterable[Tick]) -> float:
    """The median spread of contracts 25 to 75 points in the money."""
    return _median_spread(ticks, 2_500, 7_500)


def at_the_money_spread(ticks: Iterable[Tick]) -> float:
    """The median spread of contracts within 15 points of spot, either side."""
    return _median_spread(ticks, -1_500, 1_500)


def _median_spread(ticks: Iterable[Tick], low_cents: int, high_cents: int) -> float:
    widths = []
    for tick in ticks:
        bids, asks = _sides(tick)
        inside = tick.spot_cents - np.asarray(tick.strikes_cents)
        for row, depth in ((0, inside), (1, -inside)):
            usable = (bids[row] >= 0) & (asks[row] >= bids[row]) & (asks[row] > 0)
            chosen = usable & (depth >= low_cents) & (depth <= high_cents)
            widths.append((asks[row] - bids[row])[chosen])
    return float(np.median(np.concatenate(widths)))


def _clock(tick: Tick) -> time:
    return from_ms(tick.at_ms).astimezone(NEW_YORK).time()


def _sides(tick: Tick) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(bids, asks), each with the calls in row 0 and the puts in row 1."""
    bids = np.array([tick.call_bid_cents, tick.put_bid_cents], dtype=np.int64)
    asks = np.array([tick.call_ask_cents, tick.put_ask_cents], dtype=np.int64)
    return bids, asks


def _quotes(tick: Tick) -> greeks.Quotes:
    return greeks.Quotes.of(
        tick.strikes_cents,
        tick.call_bid_cents,
        tick.call_ask_cents,
        tick.put_bid_cents,
        tick.put_ask_cents,
    )
