"""When a program is called, what it sees, and what its words become (domain.md section 9)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.builders import (
    MIDNIGHT_MS,
    OPEN_SECONDS,
    Day,
    ScriptedStrategy,
    close_action,
    failing,
    kinds,
    market_action,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def called(day: Day) -> list[tuple[str, Any, int]]:
    return [(hook, argument, view["seq"]) for hook, argument, view in day.strategy.calls]


def test_in_one_tick_start_fills_times_and_tick_are_called_in_this_order():
    strategy = ScriptedStrategy(
        {("on_start", 1): [market_action(**SPREAD)]},
        on_start=True, on_fill=True, times=(OPEN_SECONDS + 1,),
    )  # fmt: skip
    day = Day(strategy=strategy)

    day.ticks(2)

    assert [(hook, seq) for hook, _, seq in called(day)] == [
        ("on_start", 1), ("on_tick", 1), ("on_fill", 2), ("at", 2), ("on_tick", 2),
    ]  # fmt: skip


def test_hooks_a_program_does_not_have_are_not_called():
    day = Day(strategy=ScriptedStrategy(on_tick=False))

    day.ticks(3)

    assert day.strategy.calls == []


def test_on_start_is_called_once():
    day = Day(strategy=ScriptedStrategy(on_start=True, on_tick=False))

    day.ticks(3)

    assert called(day) == [("on_start", None, 1)]


def test_on_fill_gets_what_was_filled():
    strategy = ScriptedStrategy(
        {("on_tick", 1): [market_action(contracts=2, **SPREAD)], ("on_tick", 2): [close_action(1)]},
        on_fill=True,
    )
    day = Day(strategy=strategy, slippage_cents=0)

    day.ticks(3)

    fills = [argument for hook, argument, _ in called(day) if hook == "on_fill"]
    opened, closed = fills
    assert opened == {
        "order": 1, "kind": "opening", "trade": 1, "price_cents": -170, "units": 2,
        "at_ms": MIDNIGHT_MS + (OPEN_SECONDS + 1) * 1000,
    }  # fmt: skip
    assert (closed["order"], closed["kind"], closed["price_cents"]) == (2, "closing", 180)


def test_each_call_sees_the_effect_of_the_one_before():
    strategy = ScriptedStrategy({("on_start", 1): [open_action(**SPREAD)]}, on_start=True)
    day = Day(strategy=strategy)

    day.tick()

    (_, _, at_start), (_, _, on_tick) = strategy.calls
    assert (len(at_start["orders"]), len(on_tick["orders"])) == (0, 1)


def test_what_a_call_leaves_in_its_state_is_given_to_the_next():
    day = Day(strategy=ScriptedStrategy(state={"trades": 3}))

    day.ticks(2)

    assert [view["state"] for _, _, view in day.strategy.calls] == [None, {"trades": 3}]


def test_a_failed_call_leaves_the_state_as_it_was():
    day = Day(strategy=ScriptedStrategy({("on_tick", 2): failing()}, state={"trades": 3}))

    day.ticks(3)

    assert day.strategy.calls[2][2]["state"] == {"trades": 3}


def test_logs_and_signals_are_numbered_in_emission_order():
    day = Day()

    events = day.tick(
        {"do": "log", "message": "looked", "data": {"vix": 16.2}},
        {"do": "signal", "name": "entry"},
        {"do": "log", "message": "again"},
    )[1:]

    assert [(event.kind, event.number) for event in events] == [
        ("logged", 1), ("signalled", 2), ("logged", 3),
    ]  # fmt: skip
    assert (events[0].message, events[0].data, events[1].name) == ("looked", {"vix": 16.2}, "entry")


def test_actions_are_carried_out_in_emission_order():
    day = Day()

    events = day.tick({"do": "log", "message": "before"}, open_action(**SPREAD),
                      {"do": "log", "message": "after"})  # fmt: skip

    assert kinds(events) == ["started", "logged", "order_placed", "logged"]


# The view ----------------------------------------------------------------------------------------


def last_view(day: Day) -> dict[str, Any]:
    return day.strategy.calls[-1][2]


def test_the_view_is_plain_data_with_exactly_the_promised_keys():
    day = Day()

    day.tick(market_action(**SPREAD))

    view = last_view(day)
    assert json.loads(json.dumps(view)) == view
    assert set(view) == {
        "seq", "at_ms", "date", "weekday", "seconds_of_day", "seconds_since_open",
        "seconds_to_close", "spot_cents", "open_spot_cents", "vix_hundredths",
        "expected_move_cents", "strikes_cents", "call_bid_cents", "call_ask_cents",
        "call_delta_e4", "put_bid_cents", "put_ask_cents", "put_delta_e4", "trades",
        "closed_trades", "orders", "cash_cents", "available_buying_power_cents", "nlv_cents",
        "day_pl_cents", "opening_balance_cents", "max_open_positions", "max_open_orders", "state",
        "random_seed",
    }  # fmt: skip


def test_the_view_tells_the_time_of_the_market():
    day = Day()

    day.tick(at_seconds=OPEN_SECONDS + 90)

    view = last_view(day)
    assert (view["date"], view["weekday"], view["seconds_of_day"]) == ("2026-05-07", "thu", 34_290)
    assert (view["seconds_since_open"], view["seconds_to_close"]) == (90, 23_400 - 90)


def test_the_view_shows_open_trades_on_their_mid():
    day = Day()
    day.tick(market_action(contracts=2, name="morning", **SPREAD))
    day.ticks(3)

    (trade,) = last_view(day)["trades"]

    assert trade == {
        "number": 1, "name": "morning", "legs": [["put", 595000, -1], ["put", 594500, 1]],
        "units": 2, "entry_cents": -170, "mid_half_cents": -360, "profit_cents": -2_000,
        "profit_pct": pytest.approx(-100 / 17), "age_seconds": 2, "is_closing": False,
    }  # fmt: skip


def test_the_view_shows_pending_orders():
    day = Day()
    day.tick(open_action(**SPREAD))
    day.tick()

    (order,) = last_view(day)["orders"]

    assert order == {
        "number": 1, "kind": "opening", "type": "limit",
        "legs": [["put", 595000, -1], ["put", 594500, 1]], "units": 1, "limit_cents": -180,
        "age_seconds": 1, "trade": None,
    }  # fmt: skip


def test_the_view_remembers_closed_trades():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(close_action(1, "market"))
    day.ticks(3)

    view = last_view(day)

    assert view["trades"] == []
    assert view["closed_trades"] == [
        {"number": 1, "name": "", "profit_cents": -2_000, "closed_seconds_ago": 2,
         "reason": "strategy"}
    ]  # fmt: skip


def test_the_view_shows_the_books():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()

    view = last_view(day)

    assert view["cash_cents"] == 2_516_656
    assert view["nlv_cents"] == 2_516_656 - 18_000
    assert view["day_pl_cents"] == -1_344
    assert view["available_buying_power_cents"] == 2_516_656 - 50_000


def test_the_seed_differs_from_tick_to_tick_and_not_from_run_to_run():
    first, second = Day(), Day()
    first.ticks(2)
    second.ticks(2)

    seeds = [view["random_seed"] for _, _, view in first.strategy.calls]

    assert len(set(seeds)) == 2
    assert seeds == [view["random_seed"] for _, _, view in second.strategy.calls]
