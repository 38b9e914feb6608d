"""The limits on open positions and open orders (domain.md section 6)."""

from __future__ import annotations

from simengine.state import RUNNING
from tests.engine.builders import (
    Day,
    close_action,
    kinds,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def test_open_positions_are_counted_in_trades_not_legs():
    day = Day(policy=no_repricing(max_open_positions=2))
    condor = {"P5940": 1, "P5945": -1, "C5955": -1, "C5960": 1}

    day.tick(market_action(**condor), market_action(**condor), market_action(**condor))

    assert [event.kind for event in day.events[1:]] == ["order_placed", "order_placed", "refused"]
    assert day.events[-1].code == "max_open_positions"


def test_pending_openings_and_open_trades_count_together():
    day = Day(policy=no_repricing(max_open_positions=2))
    day.tick(market_action(**SPREAD))
    day.tick()

    events = day.tick(open_action(**SPREAD), open_action(**SPREAD))

    assert kinds(events) == ["order_placed", "refused"]


def test_a_closed_trade_makes_room():
    day = Day(policy=no_repricing(max_open_positions=1))
    day.tick(market_action(**SPREAD))
    day.tick(close_action(1, "market"))

    while_closing = day.tick(market_action(**SPREAD))
    after = day.tick(market_action(**SPREAD))

    # The close fills before the program is asked, so there is room on that very tick.
    assert [event.kind for event in while_closing][-1] == "order_placed"
    assert [event.kind for event in after][-1] == "refused"


def test_open_orders_are_pending_orders():
    day = Day(policy=no_repricing(max_open_orders=2))

    events = day.tick(*[open_action(**SPREAD)] * 3)

    assert kinds(events) == ["started", "order_placed", "order_placed", "refused"]
    assert events[-1].code == "max_open_orders"


def test_a_closing_order_counts_as_pending_and_is_never_refused_itself():
    day = Day(policy=no_repricing(max_open_orders=1))
    day.tick(market_action(**SPREAD))
    day.tick()
    day.tick(open_action(P5935=1))

    close = day.tick(close_action(1))
    another = day.tick(open_action(**SPREAD))

    assert kinds(close) == ["order_placed"]
    assert another[0].code == "max_open_orders"


def test_a_limit_is_no_error():
    day = Day(policy=no_repricing(max_open_orders=1, error_budget=0))

    day.tick(*[open_action(**SPREAD)] * 5)

    assert day.state.error_count == 0
    assert day.state.phase == RUNNING
