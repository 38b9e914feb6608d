"""Golden days: small days with their whole event streams, stored so that any change is a diff.

`python -m tests.engine.golden --write` stores them anew. A changed stream is another engine: bump
`simengine.ENGINE_VERSION` with it (the digest ties the two together) and say why in the commit.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simengine import ENGINE_VERSION, ending, events
from simengine.policy import Policy
from simengine.state import CLOSING, SessionState
from simengine.step import step
from simengine.strategy import Decision, Hooks, StrategyError
from tests.engine.builders import OPEN_SECONDS, make_policy, make_terms
from tests.engine.market_days import Dice, market_day

FOLDER = Path(__file__).parent / "golden"
DIGEST = FOLDER / "digest.json"
SECONDS = 300

CREDIT_SPREAD = [["put", 594500, -1], ["put", 593500, 1]]
CONDOR = [["put", 593500, 1], ["put", 594500, -1], ["call", 595500, -1], ["call", 596500, 1]]
BUTTERFLY = [["call", 594500, 1], ["call", 595000, -2], ["call", 595500, 1]]


class DiceStrategy:
    """Asks for something now and then; what, is decided by the view's own seed."""

    def __init__(
        self, times: tuple[int, ...], *, errs: bool = False, exits: dict[str, Any] | None = None
    ) -> None:
        self.errs = errs
        self.exits = exits or {"profit_target_pct": 25, "stop_loss_pct": 100}
        self.hooks = Hooks(on_start=True, on_tick=True, on_fill=True, times=times)

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        dice = Dice(view["random_seed"])
        actions: list[dict[str, Any]] = []
        if self.errs and dice.below(25) == 0:
            raise StrategyError("IndexError: list index out of range", line=12)
        if hook == "at":
            actions.append(_open(CONDOR, name=argument, **self.exits))
        elif hook == "on_fill":
            actions.append({"do": "signal", "name": "fill", "data": argument})
        elif dice.below(20) == 0:
            actions += self._something(view, dice)
        return Decision(actions, {"calls": (view["state"] or {"calls": 0})["calls"] + 1})

    def _something(self, view: dict[str, Any], dice: Dice) -> list[dict[str, Any]]:
        choices: list[dict[str, Any]] = [
            _open(CREDIT_SPREAD, contracts=1 + dice.below(3)),
            _open(BUTTERFLY, order="market", exit_at_seconds=OPEN_SECONDS + 250),
            _open([["call", 596000, 1]], order="stop", limit_cents=5),
            {"do": "log", "message": "looked", "data": {"nlv": view["nlv_cents"]}},
        ]
        choices += [{"do": "close", "trade": trade["number"]} for trade in view["trades"]]
        choices += [{"do": "cancel", "order": order["number"]} for order in view["orders"]]
        choices += [
            {"do": "replace", "order": order["number"], "limit_cents": order["limit_cents"] + 5}
            for order in view["orders"]
            if order["type"] == "limit"
        ]
        return [choices[dice.below(len(choices))]]


def _open(legs: list[list[Any]], **options: Any) -> dict[str, Any]:
    return {"do": "open", "legs": legs, "contracts": 1, "limit_cents": None, **options}


FAST = {"nudge_after_seconds": 4, "min_interval_seconds": 2}
DAYS: dict[str, dict[str, Any]] = {
    "quiet": {"seed": 1, "policy": make_policy(opening=FAST, closing=FAST)},
    "dirty": {
        "seed": 2,
        "dirt": 20,
        "policy": make_policy(opening=FAST, closing=FAST, error_budget=100),
    },
    "halted": {"seed": 14, "policy": make_policy(max_daily_loss_e4=50, opening=FAST)},
    "erring": {"seed": 6, "errs": True, "policy": make_policy(opening=FAST)},
    "killed": {"seed": 4, "policy": Policy(), "requests": {180: ("kill",)}},
    "flattened": {
        "seed": 5,
        "policy": make_policy(opening=FAST),
        "requests": {90: ("cancel_all",), 200: ("kill_flat",)},
    },
    "trailed": {
        "seed": 17,
        "policy": make_policy(opening=FAST, closing=FAST),
        "exits": {"trailing_stop_pct": 2, "trailing_start_pct": 1, "exit_on_touch": True},
    },
}


def lines_of(name: str) -> Iterator[str]:
    """A day's events, one JSON line each, and its financial rows in between."""
    day = DAYS[name]
    start = 16 * 3600 - SECONDS
    terms = make_terms(policy=day["policy"], seed=day["seed"], balance_cents=1_000_000)
    strategy = DiceStrategy(
        (start + 30, start + 150), errs=day.get("errs", False), exits=day.get("exits")
    )
    state = SessionState.opening(terms, strategy.hooks.times)
    requests = day.get("requests", {})
    ticks = market_day(
        seed=day["seed"], seconds=SECONDS, start_seconds=start, dirt=day.get("dirt", 0)
    )
    for number, tick in enumerate(ticks, start=1):
        result = step(state, tick, requests.get(number, ()), terms, strategy)
        yield from (json.dumps([tick.seq, event.as_json()]) for event in result.events)
        if number % 20 == 0:
            yield json.dumps([tick.seq, result.financials])
    if state.phase == CLOSING:
        settled = ending.settle(state, terms, settlement_cents=state.spot_cents)
        yield from (json.dumps(["settlement", event.as_json()]) for event in settled)
    yield json.dumps(["state", state.as_json()], sort_keys=True)


def text_of(name: str) -> str:
    return "".join(f"{line}\n" for line in lines_of(name))


def digest_of(texts: dict[str, str]) -> dict[str, str]:
    joined = "".join(texts[name] for name in sorted(texts))
    return {
        "engine_version": ENGINE_VERSION,
        "sha256": hashlib.sha256(joined.encode()).hexdigest(),
    }


def all_kinds() -> set[str]:
    return {kind.kind for kind in vars(events).values() if hasattr(kind, "kind")}


def write() -> None:
    texts = {name: text_of(name) for name in DAYS}
    for name, text in texts.items():
        (FOLDER / f"{name}.jsonl").write_text(text)
    DIGEST.write_text(json.dumps(digest_of(texts), indent=2) + "\n")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        sys.stdout.writelines(text_of(name) for name in DAYS)
