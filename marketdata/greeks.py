"""What one tick's quotes imply: parity forward, deltas, expected move. Vectorised, once per tick.

- Parity forward: the median of strike + call mid - put mid over the (at most) 11 strikes nearest to
  spot with both quotes usable; spot where there is none. Quotes and index are not in step, so
  deltas are taken from what the quotes themselves say.
- Deltas: Black-76 on that forward with one implied deviation per strike, from the mid of its
  out-of-the-money option (else of the other one, less intrinsic); strikes that imply none get their
  neighbours', interpolated. So a strike's call and put delta add up to one, and the time to
  expiry is not needed. A contract without any quote has no delta.
- Expected move: the mid of the at-the-money straddle, at the strike nearest to spot (the lower of
  two) whose call and put are both usable, if that is within 1 % of spot; half a cent rounds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata import blackscholes
from simengine.market import MISSING

Ints = NDArray[np.int64]
NEAREST_STRIKES = 11
ATM_WITHIN = 0.01


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quote columns of one tick as arrays, cents, MISSING where a side is missing."""

    strikes: Ints
    call_bids: Ints
    call_asks: Ints
    put_bids: Ints
    put_asks: Ints

    @classmethod
    def of(
        cls,
        strikes: Sequence[int],
        call_bids: Sequence[int],
        call_asks: Sequence[int],
        put_bids: Sequence[int],
        put_asks: Sequence[int],
    ) -> Quotes:
        columns = (strikes, call_bids, call_asks, put_bids, put_asks)
        return cls(*(np.asarray(column, dtype=np.int64) for column in columns))


def has_both(quotes: Quotes) -> NDArray[np.bool_]:
    """Which strikes have a usable call and a usable put."""
    calls = _usable(quotes.call_bids, quotes.call_asks)
    return calls & _usable(quotes.put_bids, quotes.put_asks)


def parity_forward(quotes: Quotes, spot_cents: int) -> float:
    """In cents."""
    rows = np.flatnonzero(has_both(quotes))
    if rows.size == 0:
        return float(spot_cents)
    distance = np.abs(quotes.strikes[rows] - spot_cents)
    rows = rows[np.argsort(distance, kind="stable")[:NEAREST_STRIKES]]
    twice_mid = (
        quotes.call_bids[rows]
        + quotes.call_asks[rows]
        - quotes.put_bids[rows]
        - quotes.put_asks[rows]
    )
    return float(np.median(quotes.strikes[rows] + twice_mid / 2))


def expected_move_cents(quotes: Quotes, spot_cents: int) -> int | None:
    rows = np.flatnonzero(has_both(quotes))
    if rows.size == 0:
        return None
    distance = np.abs(quotes.strikes[rows] - spot_cents)
    row = rows[np.argmin(distance)]
    if abs(int(quotes.strikes[row]) - spot_cents) > ATM_WITHIN * spot_cents:
        return None
    four_quotes = (
        quotes.call_bids[row] + quotes.call_asks[row] + quotes.put_bids[row] + quotes.put_asks[row]
    )
    return int(four_quotes + 1) // 2


def deltas_e4(quotes: Quotes, spot_cents: int) -> tuple[list[int], list[int]]:
    """(call deltas, put deltas) x 10000, unsigned, MISSING where the contract has no quote."""
    forward = parity_forward(quotes, spot_cents)
    deviations = implied_deviations(quotes, forward)
    if deviations is None:
        calls = (quotes.strikes < forward) + 0.5 * (quotes.strikes == forward)
    else:
        calls = blackscholes.call_delta(forward, quotes.strikes, deviations)
    calls_e4 = np.rint(calls * 10_000).astype(np.int64)
    has_call = (quotes.call_bids >= 0) | (quotes.call_asks >= 0)
    has_put = (quotes.put_bids >= 0) | (quotes.put_asks >= 0)
    return (
        np.where(has_call, calls_e4, MISSING).tolist(),
        np.where(has_put, 10_000 - calls_e4, MISSING).tolist(),
    )


def implied_deviations(quotes: Quotes, forward: float) -> NDArray[np.float64] | None:
    """The total deviation to expiry of each strike; None where no quote implies any."""
    call_usable = _usable(quotes.call_bids, quotes.call_asks)
    put_usable = _usable(quotes.put_bids, quotes.put_asks)
    call_is_otm = quotes.strikes >= forward
    takes_call = np.where(call_is_otm, call_usable, ~put_usable & call_usable)
    mids = np.where(
        takes_call,
        (quotes.call_bids + quotes.call_asks) / 2,
        (quotes.put_bids + quotes.put_asks) / 2,
    )
    mids = np.where(call_usable | put_usable, mids, 0.0)
    implied = blackscholes.implied_deviation(mids, forward, quotes.strikes, takes_call)
    known = np.flatnonzero(np.isfinite(implied))
    if known.size == 0:
        return None
    return np.interp(quotes.strikes, quotes.strikes[known], implied[known])


def _usable(bids: Ints, asks: Ints) -> NDArray[np.bool_]:
    return (bids >= 0) & (asks >= bids) & (asks > 0)
