"""A bad feed: what vendors send on their worst days, for the gate (marketdata.validate) to stop.

Faults of a block of ticks: seconds that never come, the same second again, an old one late, a spot
that is zero, negative or ten times too high, crossed, negative and one-sided quotes, prices off the
grid, deltas beyond one, strikes that lose their quotes. About one tick in thirty has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simengine.market import MISSING, Tick

CHANCE = 0.03  # that a tick is spoilt
SILENCES = 0.5  # per block of ten minutes
LONGEST_SILENCE_SECONDS = 95
SPOTS = (0, -1, 10)  # factors
SPOILT_QUOTES = 12  # at a time


def spoil(rng: np.random.Generator, ticks: Sequence[Tick]) -> list[Tick]:
    """The ticks with faults; those that are left keep their `seq`."""
    spoilt: list[Tick] = []
    silent_until = -1
    for place, tick in enumerate(ticks):
        if rng.random() < SILENCES / len(ticks):
            silent_until = place + int(rng.integers(5, LONGEST_SILENCE_SECONDS))
        if place <= silent_until:
            continue
        if rng.random() < CHANCE:
            spoilt += _with_a_fault(rng, tick, spoilt)
        else:
            spoilt.append(tick)
    return spoilt


def _with_a_fault(rng: np.random.Generator, tick: Tick, before: Sequence[Tick]) -> list[Tick]:
    match int(rng.integers(0, 5)):
        case 0:
            return [tick, tick]
        case 1:
            late = before[-int(rng.integers(1, 20)) :][:1]
            return [*late, tick]
        case 2:
            return [replace(tick, spot_cents=tick.spot_cents * int(rng.choice(SPOTS)))]
        case 3:
            return [replace(tick, call_delta_e4=[25_000] * len(tick.strikes_cents))]
        case _:
            return [_with_bad_quotes(rng, tick)]


def _with_bad_quotes(rng: np.random.Generator, tick: Tick) -> Tick:
    columns = [
        list(column)
        for column in (
            tick.call_bid_cents,
            tick.call_ask_cents,
            tick.put_bid_cents,
            tick.put_ask_cents,
        )
    ]
    for row in rng.integers(0, len(tick.strikes_cents), SPOILT_QUOTES).tolist():
        bids, asks = columns[:2] if rng.random() < 0.5 else columns[2:]
        match int(rng.integers(0, 5)):
            case 0:
                bids[row], asks[row] = asks[row] + 50, bids[row]  # crossed
            case 1:
                bids[row] = -500
            case 2:
                asks[row] = MISSING
            case 3:
                asks[row] += 1  # off the grid
            case _:
                bids[row] = asks[row] = MISSING
    call_bids, call_asks, put_bids, put_asks = columns
    return replace(
        tick,
        call_bid_cents=call_bids,
        call_ask_cents=call_asks,
        put_bid_cents=put_bids,
        put_ask_cents=put_asks,
    )
