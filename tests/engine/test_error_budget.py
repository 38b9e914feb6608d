"""The error budget: what counts, and what happens above it (domain.md section 6)."""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from simengine.state import FINAL, FLATTENING, HALTED, RUNNING
from tests.engine.builders import (
    Day,
    ScriptedStrategy,
    close_action,
    failing,
    kinds,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def raising(count: int, *, budget: int = 2, auto_pause: bool = True) -> Day:
    script = {("on_tick", seq): failing() for seq in range(1, count + 1)}
    policy = no_repricing(error_budget=budget, auto_pause_on_error=auto_pause)
    return Day(policy=policy, strategy=ScriptedStrategy(script))


def test_an_error_of_the_program_says_where_it_was():
    day = raising(1)

    event = day.tick()[-1]

    assert (event.kind, event.source, event.line, event.count) == (
        "error_counted", "strategy", 3, 1,
    )  # fmt: skip
    assert event.message == "on_tick: ZeroDivisionError: division by zero"


def test_up_to_the_budget_the_session_goes_on():
    day = raising(2)

    day.ticks(3)

    assert (day.state.phase, day.state.error_count) == (RUNNING, 2)


def test_above_the_budget_it_cancels_flattens_and_halts():
    day = raising(0)
    day.tick(market_action(**SPREAD))
    day.tick(open_action(P5935=1))
    day.strategy.script.update({("on_tick", seq): failing() for seq in (3, 4, 5)})

    day.ticks(2)
    third_error = day.tick()
    after = day.tick()

    assert kinds(third_error) == [
        "error_counted", "budget_exceeded", "canceled", "flattening", "order_placed",
    ]  # fmt: skip
    assert kinds(after)[0] == "filled"
    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert day.state.end_reason == "error_budget: 3 errors, the budget is 2"


def test_without_auto_pause_it_goes_on_and_says_so_once():
    day = raising(6, auto_pause=False)

    day.ticks(6)

    assert day.state.phase == RUNNING
    assert day.state.error_count == 6
    (event,) = day.of("budget_exceeded")
    assert (event.count, event.budget, event.pausing) == (3, 2, False)


def test_a_budget_of_nothing_halts_at_the_first_error():
    day = raising(1, budget=0)

    day.tick()

    assert (day.state.phase, day.state.end) == (FINAL, HALTED)


def test_a_flat_session_halts_even_while_the_data_is_stale():
    day = Day(policy=no_repricing(error_budget=0))
    day.tick()

    day.tick(lag_ms=4000)

    assert (day.state.phase, day.state.end) == (FINAL, HALTED)


@pytest.mark.parametrize(
    "action",
    [
        {"do": "open", "legs": "P5950"},
        {"do": "open", "legs": []},
        {"do": "open", "legs": [["put", 595000]]},
        {"do": "open", "legs": [["straddle", 595000, 1]]},
        {"do": "open", "legs": [[["put"], 595000, 1]]},
        {"do": "open", "legs": [["put", 595100, 1]]},  # no such strike
        {"do": "open", "legs": [["put", 595000.0, 1]]},
        {"do": "open", "legs": [["put", [595000], 1]]},
        {"do": "open", "legs": [["put", 595000, 0]]},
        {"do": "open", "legs": [["put", 595000, True]]},
        {"do": "open", "legs": [["put", 595000, 1], ["put", 595000, -1]]},
        {"do": "open", "legs": [["put", 595000, 1], ["put", 594500, -101]]},
        {"do": "open", "legs": [["put", 595000, 1]] * 9},
        open_action(P5950=1, contracts=0),
        open_action(P5950=1, contracts=10_001),
        open_action(P5950=1, order="iceberg"),
        open_action(615, P5950=1),  # above 3.00 the tick is 0.10
        open_action(621, P5950=1, P5945=-1),
        open_action(620.0, P5950=1),
        open_action(P5950=1, order="stop"),  # without its trigger
        open_action(100, P5950=1, P5945=-1, order="stop"),
        market_action(P5950=1, limit_cents=620),
        open_action(-325, P5950=-2, P5945=2),  # 3.25 for two is no price for one
        open_action(P5950=1, profit_target_pct=0),
        open_action(P5950=1, profit_target_pct=0.001),
        open_action(P5950=1, stop_loss_pct=-50),
        open_action(P5950=1, stop_loss_pct="50"),
        open_action(P5950=1, stop_loss_pct=float("nan")),
        open_action(P5950=1, exit_at_seconds=90_000),
        open_action(P5950=1, exit_at_seconds="15:55"),
        close_action(7),
        {"do": "close", "trade": "1"},
        {"do": "close"},
        {"do": "close", "trade": 1, "order": "stop"},
        {"do": "cancel", "order": None},
        {"do": "buy"},
        {},
    ],
)
def test_an_invalid_order_costs_one_error_and_places_nothing(action):
    day = Day()

    events = day.tick(action)

    assert kinds(events) == ["started", "refused", "error_counted"]
    assert events[2].source == "order"
    assert day.state.orders == {}


def test_two_of_a_package_are_one_package_twice_and_their_limit_is_halved():
    day = Day()

    placed = day.tick(open_action(-350, P5950=-2, P5945=2))[1]

    assert ([leg.ratio for leg in placed.legs], placed.units, placed.limit_cents) == (
        [-1, 1], 2, -175,
    )  # fmt: skip


def test_refusals_of_the_market_are_no_errors():
    day = Day(policy=no_repricing(error_budget=0))

    day.tick(
        open_action(P5950=-1, P5935=1),
        open_action(contracts=100, **SPREAD),
        quotes={"P5935": (MISSING, 5)},
    )

    assert [event.code for event in day.of("refused")] == [
        "unusable_quote",
        "insufficient_buying_power",
    ]
    assert day.state.phase == RUNNING


def test_after_the_budget_is_spent_the_rest_of_the_answer_is_not_carried_out():
    day = Day(policy=no_repricing(error_budget=0))
    day.tick(market_action(**SPREAD))

    events = day.tick(
        {"do": "buy"}, close_action(1), {"do": "log", "message": "still heard"}
    )[-9:]  # fmt: skip

    # A closing limit here would stand in the way of the market order that flattens.
    assert [event.type for event in events if event.kind == "order_placed"] == ["market"]
    assert [event.code for event in events if event.kind == "refused"] == [
        "invalid_order",
        "nothing_new_may_open",
    ]
    assert len(day.of("logged")) == 1
    assert day.state.phase == FLATTENING
