"""Replacing a pending limit, and closing what is held (domain.md section 3)."""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from tests.engine.builders import (
    Day,
    close_action,
    kinds,
    make_policy,
    market_action,
    open_action,
    replace_action,
)

CREDIT = {"P5950": -1, "P5945": 1}
DEBIT = {"P5950": 1, "P5945": -1}


def test_replacing_a_pending_limit_changes_its_price_and_keeps_its_id():
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    events = day.tick(replace_action(1, -175))
    day.tick()

    (replaced,) = events
    assert (replaced.order, replaced.old_cents, replaced.new_cents) == (1, -180, -175)
    assert replaced.replace_count == 1
    assert day.only("filled").order == 1


def test_replacing_may_change_the_effect():
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    day.tick(replace_action(1, 5))

    assert day.state.orders[1].limit_cents == 5


@pytest.mark.parametrize("limit_cents", [-177, 3])
def test_replacing_at_a_price_off_the_grid_is_an_error_and_changes_nothing(limit_cents):
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    events = day.tick(replace_action(1, limit_cents))

    assert kinds(events) == ["refused", "error_counted"]
    assert day.state.orders[1].limit_cents == -180


def test_only_pending_limits_are_replaced():
    day = Day(balance_cents=20_000_000)
    day.tick(open_action(-200, order="stop", C5965=-1))

    events = day.tick(replace_action(1, -210), replace_action(2, -100))

    assert [event.code for event in events] == ["order_not_pending"] * 2


@pytest.mark.parametrize(
    ("limit_cents", "answer"),
    [
        (995, ["replaced"]),  # 995.00 + 2 × 1.72 = 998.44 of $1,000
        (1000, ["refused"]),  # 1,003.44
    ],
)
def test_a_replacement_that_costs_more_than_there_is_is_refused(limit_cents, answer):
    day = Day(balance_cents=100_000)
    day.tick(open_action(180, **DEBIT))

    events = day.tick(replace_action(1, limit_cents))

    assert kinds(events) == answer
    if answer == ["refused"]:
        assert events[0].message == "the order is $3.44 over what is available"


def test_a_replaced_limit_starts_a_new_walk_with_its_own_intended_price():
    day = Day(policy=make_policy(opening={"nudge_after_seconds": 1, "max_concession_cents": 10}))
    day.tick(open_action(-180, **CREDIT))

    day.tick(replace_action(1, -200), quotes={"P5950": (600, 610)})

    order = day.state.orders[1]
    assert (order.intended_cents, order.peg_cents, order.concession_cents) == (-200, -165, -35)


def test_a_replacement_counts_for_the_floor_between_replacements():
    settings = {"nudge_after_seconds": 600, "min_interval_seconds": 4}
    day = Day(policy=make_policy(opening=settings), slippage_cents=1000)
    day.tick(open_action(-180, **CREDIT))
    day.tick(replace_action(1, -190))

    for _ in range(4):
        day.tick(quotes={"P5950": (605, 615)})

    (step,) = day.of("repriced")
    assert day.state.orders[1].replaced_at_ms == day.row.at_ms  # 4 s after the replacement
    assert (step.old_cents, step.new_cents, step.replace_count) == (-190, -180, 2)


def test_closing_what_is_not_held_is_refused_and_costs_an_error():
    day = Day()

    events = day.tick(close_action(1))

    assert events[1].code == "insufficient_quantity_to_close"
    assert (events[2].kind, events[2].source) == ("error_counted", "order")


def test_a_trade_has_one_closing_order_at_a_time():
    day = Day()
    day.tick(market_action(**CREDIT))
    day.tick(close_action(1))

    events = day.tick(close_action(1))

    assert [(event.kind, event.code) for event in events] == [("refused", "already_closing")]


def test_a_close_is_a_limit_at_the_quoted_mid_of_the_reversed_package():
    day = Day()
    day.tick(market_action(contracts=2, **CREDIT))

    (placed,) = [e for e in day.tick(close_action(1)) if e.kind == "order_placed"]

    assert (placed.order_kind, placed.type, placed.limit_cents, placed.units) == (
        "closing", "limit", 180, 2,
    )  # fmt: skip
    assert [leg.ratio for leg in placed.legs] == [1, -1]
    assert placed.natural_cents == 190


def test_a_trade_whose_closing_order_was_canceled_can_be_closed_again():
    day = Day()
    day.tick(market_action(**CREDIT))
    day.tick(close_action(1))

    day.tick(requests=["cancel_all"])
    events = day.tick(close_action(1, "market"))

    assert kinds(events) == ["order_placed"]


def test_opening_into_an_unusable_quote_is_refused_and_no_error():
    day = Day()

    events = day.tick(open_action(P5950=-1, P5935=1), quotes={"P5935": (MISSING, 5)})

    assert events[1].code == "unusable_quote"
    assert day.state.error_count == 0


def test_closing_at_a_limit_into_an_unusable_quote_is_refused_and_at_market_waits():
    day = Day()
    day.tick(market_action(**CREDIT))
    gone = {"P5945": (MISSING, MISSING)}

    day.tick()
    limit = day.tick(close_action(1), quotes=gone)
    market = day.tick(close_action(1, "market"), quotes=gone)

    assert limit[0].code == "unusable_quote"
    assert kinds(market) == ["order_placed"]
