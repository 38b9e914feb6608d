"""A day with everything a recount looks at: fills, re-prices, a halt or a settlement."""

from __future__ import annotations

from collections.abc import Callable

from sessions.models import BotSession
from sessions.runner import Runner
from tests.sessions import market
from tests.sessions.conftest import drive

TALKATIVE = """
times = ["09:30:05", "09:30:06"]


def on_start(ctx):
    ctx.signal("awake", spot=ctx.spot)


def at(ctx, time):
    ctx.log("entry " + time)
    if time == "09:30:05":
        ctx.open([sell("put", strike=5945), buy("put", strike=5920)], profit_target_pct=20)
    else:
        ctx.open([sell("put", strike=5940), buy("put", strike=5920)], contracts=2)
"""


def ticks(first: int, last: int, **changes: int) -> list:
    return [market.tick(seq, **changes) for seq in range(first, last + 1)]


def trade(runner: Callable[..., Runner]) -> Runner:
    """Two spreads are sold, the mid moves their way until one is bought back, one stays open."""
    driver = runner()
    drive(driver)
    for first, last, up_cents in ((2, 40, 0), (41, 60, 20), (61, 80, -100), (81, 90, -100)):
        market.publish(ticks(first, last, put_up_cents=up_cents))
        drive(driver)
    return driver


def finish(driver: Runner, *, settlement_cents: int = 593_500) -> BotSession:
    market.close(settlement_cents=settlement_cents)
    drive(driver)
    return BotSession.objects.get()
