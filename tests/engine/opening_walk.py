"""The opening order whose walk the re-pricing tests follow, and tables of it.

The order is -P5950 +P5945 at the quoted mid: a credit of 1.80, p = -180. A day is a table: for each
tick the bid of P5950 (its ask is 10 higher, so its mid 5 higher) and the resting limit after it.
With P5950 at 615/625 the raw mid is -180; each cent up there takes the raw mid a cent down.
"""

from __future__ import annotations

from typing import Any

from tests.engine.builders import Day, Sides, make_policy, open_action

SPREAD = {"P5950": -1, "P5945": 1}
FOREVER = 600


def day_of(
    limit_cents: int | None = None,
    *,
    ratios: dict[str, int] | None = None,
    quotes: dict[str, Sides] | None = None,
    **opening: Any,
) -> Day:
    """The order was placed on tick 1, and slippage is so high that nothing fills."""
    settings = {"nudge_after_seconds": 3, "min_interval_seconds": 1, **opening}
    day = Day(policy=make_policy(opening=settings), slippage_cents=10_000, balance_cents=50_000_000)
    day.tick(open_action(limit_cents, **(ratios or SPREAD)), quotes=quotes)
    return day


def run(day: Day, table: list[tuple[int, int]]) -> list[int]:
    """Step the bids of the table; return the limits that rested after each tick."""
    limits = []
    for bid_cents, _ in table:
        day.tick(quotes=sides(bid_cents))
        limits.append(day.state.orders[1].limit_cents)
    return limits


def sides(bid_cents: int) -> dict[str, Sides]:
    """Both legs so wide that the natural price is far away and no fill disturbs the walk."""
    return {"P5950": (bid_cents - 300, bid_cents + 310), "P5945": (135, 745)}


def expected(table: list[tuple[int, int]]) -> list[int]:
    return [limit_cents for _, limit_cents in table]
