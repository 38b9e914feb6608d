"""What is traded while harm is done: a recorded market, and bots that all have work in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from common.times import to_ms
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape.model import OFFICIAL, Tape
from marketdata.tape.store import keep
from simengine.market import Tick
from strategies.form import TIMES_LIMIT
from tests.flows.api import Api

FIRST_DATE = date(2026, 5, 7)
SEED = 42
MINUTES = 30
WHOLE_DAY_MINUTES = 390
CAPITAL = "250000"

COUNTS = """\
times = [{times}]


def on_start(ctx):
    ctx.state = {{"ticks": 0, "fills": 0}}


def on_tick(ctx):
    ctx.state["ticks"] += 1
    if ctx.state["ticks"] % 40 == 0:
        ctx.log("counted", ticks=ctx.state["ticks"], nlv_cents=ctx.nlv_cents)


def at(ctx, time):
    legs = [sell("put", points_otm=10), buy("put", offset=-25, leg=0)]
    ctx.open(legs, order="{order}", stop_loss_pct=60, profit_target_pct=15)


def on_fill(ctx, fill):
    ctx.state["fills"] += 1
    ctx.signal("filled", number=ctx.state["fills"], price=fill.price)
"""
QUICK = {"nudge_after_seconds": 3, "min_interval_seconds": 2}
POLICY = {
    "max_daily_loss_pct": "0.5000",
    "max_open_positions": 50,
    "max_open_orders": 50,
    "error_budget": 100,  # every silence of the feed is an error
    "reprice": {"opening": {**QUICK, "max_concession": "1.00"}, "closing": QUICK},
}


@dataclass(frozen=True)
class Recorded:
    """The tape the market replays; on each later day the same seconds again."""

    tape: Tape
    path: Path

    def ticks_on(self, trading_date: date, open_at: Any) -> Iterator[Tick]:
        """What the log of that day must hold, worked out from the tape alone."""
        later_ms = to_ms(open_at) - to_ms(self.tape.open_at)
        for tick in self.tape.ticks:
            yield replace(
                tick, at_ms=tick.at_ms + later_ms, received_ms=tick.received_ms + later_ms
            )


def record(folder: Path, *, minutes: int) -> Recorded:
    """The last `minutes` of a synthetic day as a tape."""
    feed = SyntheticFeed(seed=SEED, trading_date=FIRST_DATE)
    left_out = feed.seconds - minutes * 60
    ticks = [replace(tick, seq=tick.seq - left_out) for tick in feed.ticks(left_out)]
    made = Tape(
        trading_date=FIRST_DATE,
        open_at=feed.open_at,
        close_at=feed.close_at,
        ticks=(),
        settlement_cents=feed.settlement()[0],
        settlement_source=OFFICIAL,
        source="drill",
        held_seconds=0,
        digest="",
    )
    path, tape = keep(made.with_ticks(ticks, held_seconds=0), folder)
    return Recorded(tape, path)


def strategies(minutes: int) -> dict[str, dict[str, Any]]:
    """By name, as a client sends them. Entries are spread over the recorded minutes."""
    return {
        "limit": _form(_times(minutes, 2, 1), "limit_mid", [("sell", 8), ("buy", -25)]),
        "wide": _form(_times(minutes, 2, 2), "limit_mid", [("sell", 20), ("buy", -40)]),
        "market": _form(_times(minutes, 3, 3), "market", [("sell", 5), ("buy", -15)]),
        "counter": {"program": _program(_times(minutes, 2, 1), "market")},
        "patient": {"program": _program(_times(minutes, 2, 2), "limit")},
    }


def _times(minutes: int, every: int, first: int) -> list[str]:
    """Every so many minutes, or as many times as a form may have."""
    start = 16 * 60 - minutes
    every = max(every, math.ceil(minutes / TIMES_LIMIT))
    return [
        f"{(start + at) // 60:02}:{(start + at) % 60:02}:07"
        for at in range(first, minutes - 1, every)
    ]


def _program(times: list[str], order: str) -> str:
    return COUNTS.format(times=", ".join(f'"{at}"' for at in times), order=order)


def _form(times: list[str], order: str, legs: list[tuple[str, int]]) -> dict[str, Any]:
    (short, points), (long, offset) = legs
    return {
        "config": {
            "legs": [
                _leg(short, {"method": "points_otm", "value": points}),
                _leg(long, {"method": "offset", "value": offset, "from": 0}),
            ],
            "entry": {"times": times, "order": order},
            "exit": {"profit_target_pct": 20, "stop_loss_pct": 80},
            "sizing": {"contracts": 1},
        }
    }


def _leg(direction: str, strike: dict[str, Any]) -> dict[str, Any]:
    return {"direction": direction, "type": "put", "qty": 1, "strike": strike}


def make_bots(api: Api, minutes: int, *, copies: range) -> dict[str, str]:
    """Ids by name; they start by themselves with every day."""
    made = {}
    for name, strategy in strategies(minutes).items():
        link = api.post("/strategies", {"name": name, **strategy})
        for copy in copies:
            body = {
                "strategy_id": link["id"],
                "name": f"{name} {copy}",
                "starting_capital": CAPITAL,
                "schedule": {"auto_start": True},
                **POLICY,
            }
            made[f"{name} {copy}"] = str(api.post("/bots", body)["id"])
    return made
