"""Orders and their fills: the fill rules on and beside their boundaries (domain.md section 3).

The spread of these tests is -P5950 +P5945: raw mid -180.0, natural -170, execution -175 with the
default slippage of 5 (mid 1.80, natural 1.70, execution 1.75 of credit); or the same bought.
"""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from tests.engine.builders import (
    Day,
    cancel_action,
    kinds,
    market_action,
    open_action,
)

CREDIT = {"P5950": -1, "P5945": 1}
DEBIT = {"P5950": 1, "P5945": -1}


@pytest.mark.parametrize(
    ("ratios", "limit_cents", "fill_cents"),
    [
        # credit: fills when execution (1.75) >= limit
        (CREDIT, -180, None),  # resting exactly at the mid does not fill
        (CREDIT, -175, -175),  # one tick of concession does
        (CREDIT, -170, -175),  # at the execution price, not at the limit
        (CREDIT, -5, -175),
        # debit: fills when execution (1.85) <= limit
        (DEBIT, 180, None),
        (DEBIT, 185, 185),
        (DEBIT, 190, 185),
        (DEBIT, 2000, 185),
        # one leg, tick 10: mid 620, execution 625
        ({"P5950": 1}, 620, None),
        ({"P5950": 1}, 630, 625),
        ({"C5960": -1}, -220, None),  # mid 220, execution 215
        ({"C5960": -1}, -215, -215),
    ],
)
def test_a_limit_fills_at_the_execution_price_when_that_meets_it(ratios, limit_cents, fill_cents):
    day = Day(balance_cents=20_000_000)
    day.tick(open_action(limit_cents, **ratios))

    day.tick()

    assert [event.price_cents for event in day.of("filled")] == (
        [] if fill_cents is None else [fill_cents]
    )


def test_without_slippage_a_limit_at_the_mid_fills_at_once():
    day = Day(slippage_cents=0)
    day.tick(open_action(**CREDIT))

    day.tick()

    assert day.only("filled").price_cents == -180


def test_an_order_fills_on_the_next_tick_at_the_earliest():
    day = Day()

    day.tick(open_action(-100, **CREDIT))
    on_its_own_tick = day.of("filled")
    day.tick()

    assert on_its_own_tick == []
    assert day.only("filled").price_cents == -175


def test_an_order_waits_until_the_market_comes_to_it():
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    day.ticks(3)
    day.tick(quotes={"P5950": (620, 630)})  # mid 185, execution 180

    assert day.only("filled").price_cents == -180


@pytest.mark.parametrize(("ratios", "natural_cents"), [(CREDIT, -170), (DEBIT, 190)])
def test_a_market_order_fills_whole_at_the_natural_price(ratios, natural_cents):
    day = Day()
    day.tick(market_action(contracts=3, **ratios))

    day.tick()

    filled = day.only("filled")
    assert (filled.price_cents, filled.units) == (natural_cents, 3)


def test_a_market_order_with_an_unusable_leg_waits_for_its_quote():
    day = Day()
    day.tick(market_action(**CREDIT))

    day.tick(quotes={"P5945": (435, MISSING)})
    day.tick(quotes={"P5945": (450, 445)})
    while_unusable = day.of("filled")
    day.tick()

    assert while_unusable == []
    assert day.only("filled").price_cents == -170


@pytest.mark.parametrize(
    ("ratios", "trigger_cents", "mid_sides", "triggers"),
    [
        # a sold call, 1.20 now: credit stop at 2.00 triggers when the mid is at or above it
        ({"C5965": -1}, -200, (190, 200), False),  # mid 195
        ({"C5965": -1}, -200, (195, 205), True),  # mid 200
        ({"C5965": -1}, -200, (200, 210), True),
        # a bought call: debit stop at 1.00 triggers when the mid is at or below it
        ({"C5965": 1}, 100, (100, 110), False),  # mid 105
        ({"C5965": 1}, 100, (95, 105), True),  # mid 100
        ({"C5965": 1}, 100, (85, 95), True),
    ],
)
def test_a_stop_triggers_on_the_mid_and_then_fills_at_the_execution_price(
    ratios, trigger_cents, mid_sides, triggers
):
    day = Day(balance_cents=20_000_000)
    day.tick(open_action(trigger_cents, order="stop", **ratios))

    events = day.tick(quotes={"C5965": mid_sides})

    mid_cents = sum(mid_sides) // 2
    signed_mid = mid_cents * ratios["C5965"]
    if triggers:
        assert kinds(events)[:2] == ["stop_triggered", "filled"]
        assert events[1].price_cents == signed_mid + 5
    else:
        assert events == []


@pytest.mark.parametrize(
    ("ratios", "trigger_cents"),
    [({"C5965": -1}, -120), ({"C5965": -1}, -115), ({"C5965": 1}, 120), ({"C5965": 1}, 125)],
)
def test_a_stop_that_would_trigger_at_once_is_rejected(ratios, trigger_cents):
    day = Day(balance_cents=20_000_000)

    events = day.tick(open_action(trigger_cents, order="stop", **ratios))

    assert kinds(events) == ["started", "order_placed", "rejected"]
    assert events[2].reason.startswith("stop_would_trigger_at_once")
    assert day.state.orders == {}
    assert day.state.error_count == 0


def test_a_filled_order_is_terminal_and_its_transactions_are_exactly_its_legs():
    day = Day()
    day.tick(market_action(contracts=2, **CREDIT))
    day.tick()

    day.ticks(3)

    assert len(day.of("filled")) == 1
    assert [(row.type, row.quantity, row.price_cents, row.value_cents, row.effect, row.fees_cents)
            for row in day.of("booked")] == [
        ("sell to open", 2, 61500, 123000, "credit", 2 * 172),
        ("buy to open", 2, 44500, 89000, "debit", 2 * 172),
    ]  # fmt: skip


def test_a_canceled_order_never_fills():
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    events = day.tick(cancel_action(1))
    day.tick(quotes={"P5950": (700, 710)})

    assert kinds(events) == ["canceled"]
    assert day.of("filled") == []


def test_canceling_what_is_not_pending_is_refused_and_no_error():
    day = Day()

    events = day.tick(cancel_action(7))

    assert [(e.kind, e.code) for e in events[1:]] == [("refused", "order_not_pending")]
    assert day.state.error_count == 0


def test_pending_orders_expire_at_the_close_and_do_not_fill_on_the_closing_tick():
    day = Day()
    day.tick(open_action(-180, **CREDIT))

    events = day.close(quotes={"P5950": (700, 710)})

    assert "expired" in kinds(events)
    assert day.of("filled") == []
    assert day.state.orders == {}
