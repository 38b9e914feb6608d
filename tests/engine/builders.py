"""Small builders for engine tests: a chain, ticks of it, terms, a scripted program, and a day.

Prices in tests are cents. The default chain has seven strikes around 5950.00 with quotes 10 cents
wide, so every mid can be read off `CHAIN`. A `Day` steps ticks second by second and keeps all
events; what differs from the default chain on a tick is named there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from simengine import ending
from simengine.events import Event
from simengine.fees import FeeSchedule
from simengine.market import CALL, MISSING, PUT, Contract, Tick, rows_of
from simengine.policy import ClosingReprice, OpeningReprice, Policy
from simengine.pricing import Leg, Legs
from simengine.state import SessionState, SessionTerms
from simengine.step import Financials, StepResult, step
from simengine.strategy import Decision, Hooks, StrategyError

MIDNIGHT_MS = 1_778_126_400_000  # 2026-05-07T04:00:00Z, New York midnight
OPEN_SECONDS = 9 * 3600 + 30 * 60
CLOSE_SECONDS = 16 * 3600
HALF_DAY_CLOSE_SECONDS = 13 * 3600

Sides = tuple[int, int]  # bid and ask in cents, MISSING where there is none

CHAIN: dict[str, Sides] = {
    "P5935": (195, 205),
    "P5940": (295, 305),
    "P5945": (435, 445),
    "P5950": (615, 625),
    "P5955": (835, 845),
    "P5960": (1115, 1125),
    "P5965": (1455, 1465),
    "C5935": (1695, 1705),
    "C5940": (1295, 1305),
    "C5945": (935, 945),
    "C5950": (615, 625),
    "C5955": (375, 385),
    "C5960": (215, 225),
    "C5965": (115, 125),
}


def contract(name: str) -> Contract:
    """`P5950` is the 5950 put."""
    return Contract(PUT if name[0] == "P" else CALL, int(name[1:]) * 100)


def legs(**ratios: int) -> Legs:
    """`legs(P5950=-1, P5945=1)`."""
    return tuple(Leg(contract(name), ratio) for name, ratio in ratios.items())


def raw_legs(**ratios: int) -> list[list[Any]]:
    """The same, as an action of a program has them."""
    return [
        ["put" if name[0] == "P" else "call", int(name[1:]) * 100, ratio]
        for name, ratio in ratios.items()
    ]


def make_tick(
    seq: int = 1,
    quotes: dict[str, Sides] | None = None,
    *,
    at_seconds: int | None = None,
    at_ms: int | None = None,
    lag_ms: int = 0,
    spot_cents: int = 595000,
    chain: dict[str, Sides] | None = None,
) -> Tick:
    """One second after the open per seq, unless a New York second or a millisecond is given."""
    sides = {**(CHAIN if chain is None else chain), **(quotes or {})}
    strikes = sorted({int(name[1:]) * 100 for name in sides})
    if at_ms is None:
        seconds = OPEN_SECONDS + seq - 1 if at_seconds is None else at_seconds
        at_ms = MIDNIGHT_MS + 1000 * seconds

    def column(right: str, side: int) -> list[int]:
        nothing = (MISSING, MISSING)
        return [sides.get(f"{right}{strike // 100}", nothing)[side] for strike in strikes]

    return Tick(
        seq=seq,
        at_ms=at_ms,
        received_ms=at_ms + lag_ms,
        spot_cents=spot_cents,
        vix_hundredths=1620,
        expected_move_cents=2150,
        strikes_cents=strikes,
        call_bid_cents=column(CALL, 0),
        call_ask_cents=column(CALL, 1),
        call_delta_e4=[5000] * len(strikes),
        put_bid_cents=column(PUT, 0),
        put_ask_cents=column(PUT, 1),
        put_delta_e4=[5000] * len(strikes),
        row_of_strike=rows_of(strikes),
    )


def make_policy(**changes: Any) -> Policy:
    """The default policy; `opening` and `closing` take dicts."""
    opening = OpeningReprice(**changes.pop("opening", {}))
    closing = ClosingReprice(**changes.pop("closing", {}))
    return Policy(opening=opening, closing=closing, **changes)


def no_repricing(**changes: Any) -> Policy:
    return make_policy(opening={"enabled": False}, closing={"enabled": False}, **changes)


def make_terms(
    *,
    policy: Policy | None = None,
    balance_cents: int = 2_500_000,
    slippage_cents: int = 5,
    close_seconds: int = CLOSE_SECONDS,
    fees: FeeSchedule | None = None,
    seed: int = 7,
) -> SessionTerms:
    """$25,000, the default fees and slippage, and no re-pricing unless a policy is given."""
    return SessionTerms(
        trading_date="2026-05-07",
        weekday="thu",
        open_at_ms=MIDNIGHT_MS + OPEN_SECONDS * 1000,
        close_at_ms=MIDNIGHT_MS + close_seconds * 1000,
        midnight_ms=MIDNIGHT_MS,
        opening_balance_cents=balance_cents,
        fees=fees or FeeSchedule(),
        slippage_cents=slippage_cents,
        policy=policy or no_repricing(),
        seed=seed,
    )


Answer = Sequence[dict[str, Any]] | Exception | Callable[[dict[str, Any]], Any] | None


class ScriptedStrategy:
    """A program written as a table: what it answers to (hook, seq), or to ("at", time).

    An answer is a list of actions, an exception, or a function of the view. Calls are kept.
    """

    def __init__(
        self,
        script: dict[tuple[str, Any], Answer] | None = None,
        *,
        on_start: bool = False,
        on_tick: bool = True,
        on_fill: bool = False,
        times: tuple[int, ...] = (),
        state: Any = None,
    ) -> None:
        self.hooks = Hooks(on_start=on_start, on_tick=on_tick, on_fill=on_fill, times=times)
        self.script = script or {}
        self.state = state
        self.calls: list[tuple[str, Any, dict[str, Any]]] = []

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        self.calls.append((hook, argument, view))
        answer = self.script.get((hook, argument if hook == "at" else view["seq"]))
        if isinstance(answer, Exception):
            raise answer
        actions = answer(view) if callable(answer) else answer
        return Decision(list(actions or ()), self.state)


class Day:
    """A session stepped by a test, with all its events and rows."""

    def __init__(
        self,
        terms: SessionTerms | None = None,
        strategy: ScriptedStrategy | None = None,
        **terms_changes: Any,
    ) -> None:
        self.terms = terms or make_terms(**terms_changes)
        self.strategy = strategy or ScriptedStrategy()
        self.state = SessionState.opening(self.terms, self.strategy.hooks.times)
        self.events: list[Event] = []
        self.rows: list[Financials] = []

    def tick(
        self,
        *actions: dict[str, Any],
        quotes: dict[str, Sides] | None = None,
        requests: Sequence[str] = (),
        seq: int | None = None,
        **tick_changes: Any,
    ) -> list[Event]:
        """The next second of market; the program answers `actions` to it. Returns its events."""
        seq = self.state.last_seq + 1 if seq is None else seq
        if actions:
            self.strategy.script["on_tick", seq] = actions
        return self.step(make_tick(seq, quotes, **tick_changes), requests).events

    def step(self, tick: Tick, requests: Sequence[str] = ()) -> StepResult:
        result = step(self.state, tick, requests, self.terms, self.strategy)
        self.events += result.events
        if result.financials is not None:
            self.rows.append(result.financials)
        return result

    def ticks(self, count: int, **changes: Any) -> list[Event]:
        return [event for _ in range(count) for event in self.tick(**changes)]

    def close(self, *, spot_cents: int = 595000, **changes: Any) -> list[Event]:
        """The closing tick, at the close whatever came before."""
        return self.tick(at_ms=self.terms.close_at_ms, spot_cents=spot_cents, **changes)

    def settle(self, settlement_cents: int) -> list[Event]:
        events = ending.settle(self.state, self.terms, settlement_cents=settlement_cents)
        self.events += events
        return events

    def of(self, *kinds: str) -> list[Any]:
        """The day's events of some kinds."""
        return [event for event in self.events if event.kind in kinds]

    def only(self, kind: str) -> Any:
        """The day's one event of a kind."""
        (event,) = self.of(kind)
        return event

    @property
    def portfolio(self) -> Any:
        return self.state.portfolio

    @property
    def row(self) -> Financials:
        return self.rows[-1]


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.kind for event in events]


def open_action(limit_cents: int | None = None, *, contracts: int = 1, **options: Any) -> Any:
    """An `open` action. Legs are keywords like `P5950=-1`, the rest are the action's own keys."""
    ratios = {name: value for name, value in options.items() if name[1:].isdigit()}
    rest = {name: value for name, value in options.items() if name not in ratios}
    return {
        "do": "open",
        "legs": raw_legs(**ratios),
        "contracts": contracts,
        "order": "limit",
        "limit_cents": limit_cents,
        **rest,
    }


def market_action(**options: Any) -> Any:
    return open_action(order="market", **options)


def close_action(trade: int = 1, order: str = "limit") -> dict[str, Any]:
    return {"do": "close", "trade": trade, "order": order}


def cancel_action(order: int) -> dict[str, Any]:
    return {"do": "cancel", "order": order}


def replace_action(order: int, limit_cents: int) -> dict[str, Any]:
    return {"do": "replace", "order": order, "limit_cents": limit_cents}


def failing(message: str = "ZeroDivisionError: division by zero", line: int = 3) -> StrategyError:
    return StrategyError(message, line=line)
