"""Random days: dirty ticks, orders, exits, requests, faults and restarts, recounted at every step.

20,000 rules here; a million with ZEROHOUR_ENGINE_RULES=1000000. A failure prints the seed and the
shortest sequence of rules that shows it.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from simengine import ending
from simengine.market import MISSING, Tick, rows_of
from simengine.policy import ClosingReprice, OpeningReprice, Policy
from simengine.state import CLOSING, FINAL, SessionState
from simengine.step import CANCEL_ALL, KILL, KILL_FLAT, step
from simengine.strategy import Decision, Hooks, StrategyError
from tests.engine.auditor import Auditor
from tests.engine.builders import CLOSE_SECONDS, MIDNIGHT_MS, OPEN_SECONDS, make_terms
from tests.engine.market_days import Dice, option_sides

RULES = int(os.environ.get("ZEROHOUR_ENGINE_RULES", "20000"))
STEPS = 100

STRIKES = [593_500 + 500 * row for row in range(7)]
FEWER_STRIKES = STRIKES[1:]
ROWS, FEWER_ROWS = rows_of(STRIKES), rows_of(FEWER_STRIKES)

SHAPES = [
    [("put", 2, -1), ("put", 1, 1)],
    [("put", 2, 1), ("put", 1, -1)],
    [("put", 1, 1), ("put", 2, -1), ("call", 4, -1), ("call", 5, 1)],
    [("call", 2, 1), ("call", 3, -2), ("call", 4, 1)],
    [("call", 3, 1)],
    [("put", 3, -1)],
    [("put", 1, 3), ("put", 2, -2)],
    [("call", 3, -1), ("put", 3, -1)],
    [("call", 3, 5), ("call", 4, -3), ("call", 6, -3)],
]
EXITS: list[dict[str, Any]] = [
    {},
    {"profit_target_pct": 10},
    {"stop_loss_pct": 20},
    {"exit_at_seconds": OPEN_SECONDS + 30},
    {"trailing_stop_pct": 7.77, "profit_target_pct": 90},
    {"trailing_stop_pct": 5, "trailing_start_pct": 5, "stop_loss_pct": 60},
    {"exit_on_touch": True},
]
seeds = st.integers(0, 2**32 - 1)
policies = st.builds(
    Policy,
    max_daily_loss_e4=st.sampled_from([5000, 5000, 5000, 200, 50]),
    max_open_positions=st.sampled_from([10, 10, 3, 1]),
    max_open_orders=st.sampled_from([10, 10, 3, 1]),
    auto_pause_on_error=st.booleans(),
    error_budget=st.sampled_from([100, 100, 100, 3, 0]),
    opening=st.builds(
        OpeningReprice,
        enabled=st.sampled_from([True, True, False]),
        nudge_after_seconds=st.sampled_from([1, 2, 5]),
        min_interval_seconds=st.sampled_from([1, 3]),
        flat_tolerance_ticks=st.sampled_from([1, 4]),
        max_concession_cents=st.sampled_from([0, 5, 20, 200]),
    ),
    closing=st.builds(
        ClosingReprice,
        enabled=st.sampled_from([True, True, True, False]),
        nudge_after_seconds=st.sampled_from([1, 3]),
        min_interval_seconds=st.sampled_from([1, 4]),
    ),
)


class Program:
    """Answers what the machine queued for it; called on every occasion there is."""

    def __init__(self) -> None:
        times = (OPEN_SECONDS + 10, OPEN_SECONDS + 40, CLOSE_SECONDS - 10)
        self.hooks = Hooks(on_start=True, on_tick=True, on_fill=True, times=times)
        self.queue: list[dict[str, Any] | StrategyError] = []

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        del view, argument
        answers, self.queue = (self.queue, []) if hook in ("on_tick", "at") else ([], self.queue)
        for answer in answers:
            if isinstance(answer, StrategyError):
                raise answer
        return Decision([answer for answer in answers if isinstance(answer, dict)], hook)


class SessionMachine(RuleBasedStateMachine):
    """One session after the other; the closing balance of one opens the next."""

    @initialize(
        policy=policies,
        balance_cents=st.sampled_from([1_000_000_000, 1_000_000_000, 2_500_000, 50_000]),
        slippage_cents=st.sampled_from([0, 5, 5, 3, 40]),
    )
    def open_the_account(self, policy: Policy, balance_cents: int, slippage_cents: int) -> None:
        self.policy, self.slippage_cents = policy, slippage_cents
        self._new_session(balance_cents)

    def _new_session(self, balance_cents: int) -> None:
        self.terms = make_terms(
            policy=self.policy, balance_cents=balance_cents, slippage_cents=self.slippage_cents
        )
        self.program = Program()
        self.state = SessionState.opening(self.terms, self.program.hooks.times)
        self.auditor = Auditor(self.terms)
        self.requests: list[str] = []
        self.seq, self.at_ms = 0, MIDNIGHT_MS + 1000 * OPEN_SECONDS - 1000
        self.spot_cents = 595_000
        self.tick: Tick | None = None

    # The market ----------------------------------------------------------------------------------

    def _make_tick(self, seed: int, *, dirt: int = 0, lag_ms: int = 0) -> Tick:
        dice = Dice(seed)
        self.spot_cents += 50 * (dice.below(9) - 4)
        fewer = bool(dirt) and dice.below(6) == 0
        strikes, rows = (FEWER_STRIKES, FEWER_ROWS) if fewer else (STRIKES, ROWS)
        time_value_cents = 40 + dice.below(400)
        sides: list[list[int]] = [[], [], [], []]
        for strike in strikes:
            for offset, distance in ((0, self.spot_cents - strike), (2, strike - self.spot_cents)):
                spread_cents = 5 * (1 + dice.below(4)) - (dirt > 1 and dice.below(4))
                bid, ask = option_sides(distance, spread_cents, time_value_cents)
                if dirt and dice.below(8) == 0:
                    bid, ask = ((MISSING, ask), (bid, MISSING), (ask + 5, bid), (0, ask))[
                        dice.below(4)
                    ]
                sides[offset].append(bid)
                sides[offset + 1].append(ask)
        deltas = [5000] * len(strikes)
        return Tick(
            self.seq, self.at_ms, self.at_ms + lag_ms, self.spot_cents, None, None, strikes,
            sides[0], sides[1], deltas, sides[2], sides[3], deltas, row_of_strike=rows,
        )  # fmt: skip

    def _step(self, tick: Tick) -> None:
        self.tick = tick
        requests, self.requests = self.requests, []
        result = step(self.state, tick, requests, self.terms, self.program)
        self.auditor.check(tick, result, self.state)

    def _advance(self, seed: int, *, seconds: int = 1, missing: int = 0, **how: int) -> None:
        self.seq += 1 + missing
        self.at_ms += 1000 * seconds
        self._step(self._make_tick(seed, **how))
        if self.state.phase == FINAL:
            self._new_session(max(50_000, self.state.portfolio.cash_cents))

    @rule(seed=seeds)
    def a_tick(self, seed: int) -> None:
        self._advance(seed)

    @rule(seed=seeds, count=st.sampled_from([3, 10, 30]))
    def a_while(self, seed: int, count: int) -> None:
        for number in range(count):
            self._advance(seed + number)

    @rule(seed=seeds, count=st.sampled_from([3, 10]))
    def a_while_of_dirt(self, seed: int, count: int) -> None:
        for number in range(count):
            self._advance(seed + number, dirt=1)

    @rule(seed=seeds, dirt=st.sampled_from([1, 2]))
    def a_dirty_tick(self, seed: int, dirt: int) -> None:
        self._advance(seed, dirt=dirt)

    @rule(seed=seeds, seconds=st.integers(1, 9), missing=st.integers(0, 3))
    def a_gap(self, seed: int, seconds: int, missing: int) -> None:
        self._advance(seed, seconds=seconds, missing=missing)

    @rule(seed=seeds, lag_ms=st.sampled_from([3000, 3001, 60_000]))
    def a_late_tick(self, seed: int, lag_ms: int) -> None:
        self._advance(seed, lag_ms=lag_ms)

    @precondition(lambda self: self.tick is not None)
    @rule()
    def a_repeated_tick(self) -> None:
        assert self.tick is not None
        self._step(self.tick)
        if self.state.phase == FINAL:
            self._new_session(max(50_000, self.state.portfolio.cash_cents))

    @precondition(lambda self: self.state.tick_count > 60)
    @rule(seed=seeds, has_closing_tick=st.booleans())
    def the_close(self, seed: int, has_closing_tick: bool) -> None:
        if has_closing_tick:
            self.seq += 1
            self.at_ms = self.terms.close_at_ms
            self._step(self._make_tick(seed, dirt=1))
        else:
            events = ending.close_market(self.state, self.terms, at_ms=self.terms.close_at_ms)
            self.auditor.check_events(events, self.state)
        if self.state.phase == CLOSING:
            events = ending.settle(self.state, self.terms, settlement_cents=self.spot_cents + 7)
            self.auditor.check_settlement(events, self.state)
        assert self.state.phase == FINAL
        self._new_session(max(50_000, self.state.portfolio.cash_cents))

    # The program ---------------------------------------------------------------------------------

    @rule(shape=st.sampled_from(SHAPES), contracts=st.sampled_from([1, 3]))
    def an_entry(self, shape: list[tuple[str, int, int]], contracts: int) -> None:
        self.an_order(shape, contracts, "limit", None, {"profit_target_pct": 20})

    @rule(
        shape=st.sampled_from(SHAPES),
        contracts=st.sampled_from([1, 1, 2, 7]),
        order=st.sampled_from(["limit", "limit", "limit", "market", "stop"]),
        limit_cents=st.sampled_from([None, None, None, -50, 0, 50, 300, 315]),
        exits=st.sampled_from(EXITS),
    )
    def an_order(
        self,
        shape: list[tuple[str, int, int]],
        contracts: int,
        order: str,
        limit_cents: int | None,
        exits: dict[str, Any],
    ) -> None:
        legs = [[option_type, STRIKES[row], ratio] for option_type, row, ratio in shape]
        self.program.queue.append(
            {"do": "open", "legs": legs, "contracts": contracts, "order": order,
             "limit_cents": limit_cents, **exits}
        )  # fmt: skip

    @precondition(lambda self: self.state.trades)
    @rule(which=st.integers(0, 9), order=st.sampled_from(["limit", "limit", "market"]))
    def a_close(self, which: int, order: str) -> None:
        trades = list(self.state.trades)
        trade = trades[which % len(trades)]
        self.program.queue.append({"do": "close", "trade": trade, "order": order})

    @precondition(lambda self: self.state.orders)
    @rule(which=st.integers(0, 9), what=st.sampled_from(["replace", "replace", "cancel"]),
          move_cents=st.sampled_from([-20, 5, 10, 100]))  # fmt: skip
    def a_change(self, which: int, what: str, move_cents: int) -> None:
        orders = list(self.state.orders.values())
        order = orders[which % len(orders)]
        limit_cents = (order.limit_cents or 0) + move_cents
        self.program.queue.append({"do": what, "order": order.number, "limit_cents": limit_cents})

    @precondition(lambda self: self.state.tick_count > 5)
    @rule(what=st.sampled_from(["log", "nonsense", "nothing_held", "not_pending", "error"]))
    def a_word(self, what: str) -> None:
        self.program.queue.append(
            {
                "nonsense": {"do": "open", "legs": [["put", 1, 1]]},
                "nothing_held": {"do": "close", "trade": 99},
                "not_pending": {"do": "cancel", "order": 99},
                "error": StrategyError("ValueError: no", line=1),
                "log": {"do": "log", "message": "here"},
            }[what]
        )

    # The owner and the house ---------------------------------------------------------------------

    @precondition(lambda self: self.state.tick_count > 30)
    @rule(request=st.sampled_from([CANCEL_ALL, CANCEL_ALL, CANCEL_ALL, KILL, KILL_FLAT]))
    def a_request(self, request: str) -> None:
        self.requests.append(request)

    @rule()
    def a_restart(self) -> None:
        raw = json.dumps(self.state.as_json())
        self.state = SessionState.from_json(json.loads(raw))
        assert json.dumps(self.state.as_json()) == raw


SessionMachine.TestCase.settings = settings(
    max_examples=max(1, RULES * 11 // (10 * STEPS)),  # examples stop a little before STEPS
    stateful_step_count=STEPS,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class TestSessions(SessionMachine.TestCase):
    """Runs the machine; pytest collects a class because hypothesis makes one."""
