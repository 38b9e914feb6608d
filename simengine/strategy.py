"""The engine's side of a strategy: when it is called, what it sees, what it may answer.

The engine calls `Strategy.call(hook, view, argument)` and reads plain data back; it neither knows
nor cares where the program runs. The same view must give the same answer.

`view` is a dict of plain values (see `simengine.view.build_view` for every key). The answer is a
`Decision`: a list of actions in emission order and the new value of `ctx.state`. Actions are dicts:

    {"do": "open", "legs": [["put", 595000, -1], ["put", 592500, 1]], "contracts": 1,
     "order": "limit" | "market" | "stop", "limit_cents": null | signed cents per package,
     "profit_target_pct": null | number, "stop_loss_pct": null | number,
     "trailing_stop_pct": null | number, "trailing_start_pct": null | number from 0,
     "exit_on_touch": false | true,
     "exit_at_seconds": null | New York second of the day, "name": "..."}
    {"do": "close", "trade": 1, "order": "limit" | "market"}
    {"do": "cancel", "order": 3}
    {"do": "replace", "order": 3, "limit_cents": signed cents per package of the order}
    {"do": "log", "message": "...", "data": {...}}
    {"do": "signal", "name": "...", "data": {...}}
    {"do": "skip", "reason": "vix_max: VIX 31.20 is above 30"}     (only inside `at`)

Leg quantities are signed ratios of one package: sold legs negative. A null limit is the quoted mid.
A limit is for the package as written, so [-2, 2] at -320 is two spreads at -160; orders and trades
in the view have their ratios reduced. The limit of a stop order is its trigger. Once the session is
flattening, what trades is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

ON_START = "on_start"
ON_TICK = "on_tick"
ON_FILL = "on_fill"
AT = "at"


@dataclass(frozen=True, slots=True)
class Hooks:
    """Which calls a program wants. `times` are New York seconds of the day, ascending, unique."""

    on_start: bool = False
    on_tick: bool = False
    on_fill: bool = False
    times: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    actions: list[dict[str, Any]]
    state: Any


class StrategyError(Exception):
    """The program raised, ran out of time or memory, or answered nonsense. Costs one error."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Strategy(Protocol):
    @property
    def hooks(self) -> Hooks: ...

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        """Run one hook. `argument`: the time ("10:00") for AT, the fill for ON_FILL, else None."""
        ...
