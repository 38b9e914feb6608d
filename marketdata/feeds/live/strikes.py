"""Which strikes to listen to: those around spot, and those we listened to before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

EACH_SIDE = 80  # 161 strikes, 400 points either way in steps of 5
FOLLOW_CENTS = 2_500  # a smaller move of spot changes nothing
MOST = 300


def around(strikes_cents: Sequence[int], spot_cents: int) -> set[int]:
    """The strike nearest to spot and EACH_SIDE on either side of it."""
    if not strikes_cents:
        return set()
    nearest = min(range(len(strikes_cents)), key=lambda row: abs(strikes_cents[row] - spot_cents))
    return set(strikes_cents[max(0, nearest - EACH_SIDE) : nearest + EACH_SIDE + 1])


def followed(strikes_cents: Sequence[int], spot_cents: int, held: Collection[int]) -> set[int]:
    """The strikes around spot and those held: a position may be in one. Of more than MOST the ones
    farthest from spot go.
    """
    wanted = around(strikes_cents, spot_cents) | set(held)
    return set(sorted(wanted, key=lambda strike: (abs(strike - spot_cents), strike))[:MOST])
