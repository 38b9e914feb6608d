"""A recorded day with bad places: what a vendor sends on a bad day, by seed.

The kinds take turns: FROZEN (seconds that never come), REPEATED (a stretch twice), REORDERED (a
stretch in any order), JUMPING (a spot far away for some seconds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from simengine.market import Tick

FROZEN, REPEATED, REORDERED, JUMPING = KINDS = ("frozen", "repeated", "reordered", "jumping")
LENGTHS = {FROZEN: 8, REPEATED: 6, REORDERED: 6, JUMPING: 3}
FIRST_SHARE = 0.05  # of the day stays as it was


def places(tick_count: int, seed: int, count: int) -> list[tuple[int, str]]:
    """(index of the first tick, kind), in order and apart from each other."""
    rng = Random(seed)  # repeatable, not secret
    first = int(tick_count * FIRST_SHARE)
    step = (tick_count - first) // (count + 1)
    return [
        (first + step * number + rng.randrange(max(1, step - 20)), KINDS[number % len(KINDS)])
        for number in range(count)
    ]


def spoilt(ticks: Sequence[Tick], seed: int, count: int) -> list[Tick]:
    rng = Random(seed)
    found: list[Tick] = []
    at = 0
    for first, kind in places(len(ticks), seed, count):
        stretch = list(ticks[first : first + LENGTHS[kind]])
        found += ticks[at:first]
        at = first + len(stretch)
        if kind == REPEATED:
            found += [*stretch, *stretch]
        elif kind == REORDERED:
            found += rng.sample(stretch, len(stretch))
        elif kind == JUMPING:
            found += [replace(tick, spot_cents=tick.spot_cents * 2) for tick in stretch]
    return [*found, *ticks[at:]]


def may_be_lost(ticks: Sequence[Tick], seed: int, count: int) -> set[int]:
    """Times (Unix ms) of the ticks that the harm itself took away or may have."""
    return {
        tick.at_ms
        for first, kind in places(len(ticks), seed, count)
        if kind != REPEATED
        for tick in ticks[first : first + LENGTHS[kind]]
    }
