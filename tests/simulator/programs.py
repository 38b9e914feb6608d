"""Strategies of the simulated world: in this process, without memory but what the engine keeps.

What a program does at a moment depends on its name and that moment alone, as it must for a replay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from simengine.strategy import AT, ON_TICK, Decision, Hooks, StrategyError
from strategies.runtime.program import parse_program

STRIKES = [593_500 + 500 * row for row in range(7)]
SHAPES = [
    [("put", 2, -1), ("put", 1, 1)],
    [("put", 2, 1), ("put", 1, -1)],
    [("put", 1, 1), ("put", 2, -1), ("call", 4, -1), ("call", 5, 1)],
    [("call", 2, 1), ("call", 3, -2), ("call", 4, 1)],
    [("call", 3, 1)],
    [("put", 3, -1)],
    [("put", 1, 3), ("put", 2, -2)],
]
EXITS: list[dict[str, Any]] = [{}, {"profit_target_pct": 10}, {"stop_loss_pct": 20}]


@dataclass(frozen=True)
class Program:
    """`busyness`: how often a tick makes it do something, in percent; 0: only at its times.
    `think` lets time pass where the call is slow.
    """

    name: str
    busyness: int
    hooks: Hooks
    think: Callable[[float], None]

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        rng = Random(f"{self.name} {hook} {view['at_ms']} {argument}")
        if rng.randrange(80) == 0:
            self.think(rng.choice([0.05, 0.3, 1.0]))
        calls = (view["state"] or 0) + 1
        actions: list[dict[str, Any]] = []
        if hook == AT or (hook == ON_TICK and rng.randrange(100) < self.busyness):
            actions.append(_wish(rng, view))
        elif hook != ON_TICK:
            actions.append({"do": "log", "message": f"{hook} {calls}", "data": {"calls": calls}})
        return Decision(actions, calls)


def _wish(rng: Random, view: dict[str, Any]) -> dict[str, Any]:
    trades, orders = view["trades"], view["orders"]
    pick = rng.random()
    if pick < 0.03:
        raise StrategyError("it raised", line=3)
    if pick < 0.05:
        return {"do": "close", "trade": 99, "order": "limit"}  # an invalid order
    if pick < 0.10:
        return {"do": "signal", "name": "looked", "data": {"spot": view["spot_cents"]}}
    if trades and pick < 0.30:
        order = rng.choice(["limit", "limit", "market"])
        return {"do": "close", "trade": rng.choice(trades)["number"], "order": order}
    if orders and pick < 0.45:
        order = rng.choice(orders)
        limit_cents = (order["limit_cents"] or 0) + rng.choice([-20, 5, 10, 100])
        what = rng.choice(["replace", "cancel"])
        return {"do": what, "order": order["number"], "limit_cents": limit_cents}
    legs = [[right, STRIKES[row], ratio] for right, row, ratio in rng.choice(SHAPES)]
    return {
        "do": "open",
        "legs": legs,
        "contracts": rng.choice([1, 1, 2, 5]),
        "order": rng.choice(["limit", "limit", "limit", "market"]),
        "limit_cents": None,
        **rng.choice(EXITS),
    }


class Programs:
    """Stands where the sandbox does: `strategy` makes one of a program's text."""

    def __init__(self, think: Callable[[float], None]) -> None:
        self._think = think

    def strategy(self, text: str) -> Program:
        _, _, name, busyness = text.partition("\n")[0].split()
        return Program(name, int(busyness), parse_program(text).hooks, self._think)


def text_of(name: str, busyness: int, times: list[int]) -> str:
    """A program as the product reads it; what it does stands above."""
    told = [f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}" for at in sorted(set(times))]
    hooks = ["on_start(ctx)", "on_fill(ctx, fill)", "at(ctx, time)"]
    hooks += ["on_tick(ctx)"] if busyness else []
    bodies = "".join(f"\n\ndef {hook}:\n    pass\n" for hook in hooks)
    return f"# simulated {name} {busyness}\ntimes = {told}\n{bodies}"
