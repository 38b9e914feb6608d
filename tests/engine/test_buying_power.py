"""Fees and buying power (domain.md section 4). Balances are $25,000 unless said otherwise."""

from __future__ import annotations

import pytest

from simengine import buying_power
from simengine.fees import FeeSchedule
from tests.engine.builders import (
    Day,
    close_action,
    kinds,
    legs,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}  # credit 1.80, margin 500.00 a piece
DEBIT = {"P5950": 1, "P5945": -1}


@pytest.mark.parametrize(
    ("ratios", "units", "opening", "fees_cents"),
    [
        ({"P5950": -1}, 1, True, 172),
        ({"P5950": -1, "P5945": 1}, 3, True, 6 * 172),
        ({"P5950": -1, "P5945": 1}, 3, False, 6 * 72),
        ({"C5940": 1, "C5950": -2, "C5960": 1}, 2, True, 8 * 172),
    ],
)
def test_fees_are_per_contract_and_leg(ratios, units, opening, fees_cents):
    assert FeeSchedule().of_order(legs(**ratios), units, opening=opening) == fees_cents


def test_cash_is_the_balance_plus_credits_less_debits_less_fees():
    day = Day()
    day.tick(market_action(contracts=2, **SPREAD))
    day.tick(close_action(1, "market"))

    day.tick()

    opened = 2 * 17_000 - 4 * 172  # sold at 1.70
    closed = -2 * 19_000 - 4 * 72  # bought back at 1.90
    assert day.portfolio.cash_cents == 2_500_000 + opened + closed
    assert day.row.fees == 4 * 172 + 4 * 72
    assert day.row.profit_loss == opened + closed
    assert day.row.realized_profit_loss == -4_000


def test_a_schedule_of_ones_own_is_charged():
    day = Day(fees=FeeSchedule(open_cents=100, close_cents=0, exercise_cents=0))
    day.tick(market_action(**SPREAD))

    day.tick()

    assert day.row.fees == 200


def test_a_pending_opening_order_reserves_its_margin():
    day = Day()

    day.tick(open_action(contracts=2, **SPREAD))

    assert day.row.available_buying_power == 2_500_000 - 2 * 50_000
    assert day.row.maintenance_margin == 0


def test_a_canceled_order_gives_its_reservation_back():
    day = Day()
    day.tick(open_action(contracts=2, **SPREAD))

    day.tick(requests=["cancel_all"])

    assert day.row.available_buying_power == 2_500_000


def test_a_filled_order_turns_its_reservation_into_maintenance_margin():
    day = Day()
    day.tick(market_action(contracts=2, **SPREAD))

    day.tick()

    cash = 2_500_000 + 2 * 17_000 - 4 * 172
    assert day.row.maintenance_margin == 100_000
    assert day.row.available_buying_power == cash - 100_000


# One spread needs 500.00 of margin and 3.44 of fees; its credit of 1.80 is not received yet.
@pytest.mark.parametrize(
    ("balance_cents", "answer"), [(50_344, "order_placed"), (50_343, "refused")]
)
def test_an_order_is_accepted_while_margin_and_fees_fit_to_the_cent(balance_cents, answer):
    day = Day(balance_cents=balance_cents)

    events = day.tick(open_action(**SPREAD))

    assert events[1].kind == answer


# A debit of 1.80 needs 180.00 and 3.44.
@pytest.mark.parametrize(
    ("balance_cents", "answer"), [(18_344, "order_placed"), (18_343, "refused")]
)
def test_an_order_is_accepted_while_debit_and_fees_fit_to_the_cent(balance_cents, answer):
    day = Day(balance_cents=balance_cents)

    events = day.tick(open_action(**DEBIT))

    assert events[1].kind == answer


def test_a_refusal_for_want_of_buying_power_says_by_how_much_and_is_no_error():
    day = Day(balance_cents=50_000)

    events = day.tick(open_action(**SPREAD))

    assert (events[1].code, events[1].message) == (
        "insufficient_buying_power",
        "the order is $3.44 over what is available",
    )
    assert day.state.error_count == 0


def test_everything_pending_counts_against_the_next_order():
    # Two spreads need 2 × 503.44 = 1,006.88.
    day = Day(balance_cents=100_687)

    first = day.tick(open_action(**SPREAD))
    second = day.tick(open_action(**SPREAD))

    assert first[1].kind == "order_placed"
    assert second[0].code == "insufficient_buying_power"
    assert second[0].message == "the order is $0.01 over what is available"


def test_a_pending_market_order_counts_at_its_natural_price():
    # 190.00 + 3.44 pending at market; the next debit needs 180.00 + 3.44: together 376.88.
    day = Day(balance_cents=37_687)

    events = day.tick(market_action(**DEBIT), open_action(**DEBIT))

    assert kinds(events[1:]) == ["order_placed", "refused"]


def test_a_held_long_covers_a_new_short_and_a_pending_long_does_not():
    held = Day()
    held.tick(market_action(P5955=1))
    held.tick()
    pending = Day()

    covered = held.tick(open_action(P5950=-1))
    naked = pending.tick(open_action(P5955=1), open_action(P5950=-1))

    assert (covered[0].kind, covered[0].margin_effect_cents) == ("order_placed", 0)
    assert naked[2].code == "insufficient_buying_power"  # 119,000 of 25,000


def test_two_orders_on_the_free_side_of_a_condor_reserve_what_they_need_together():
    day = Day()
    day.tick(market_action(P5950=-1, P5940=1))  # 10 wide: 1,000.00
    day.tick()

    day.tick(open_action(C5955=-1, C5965=1))
    one_call_spread = day.row.available_buying_power
    day.tick(open_action(C5955=-1, C5965=1))

    # The first call spread is the smaller side of a condor; two of them are the larger one.
    assert one_call_spread == day.portfolio.cash_cents - 100_000
    assert day.row.available_buying_power == one_call_spread - 100_000


def test_an_order_accepted_on_an_offer_that_vanished_is_rejected_at_the_fill():
    # At market: natural 1.90 = 190.00 + 3.44 fits 200.00. On the next tick natural is 2.10.
    day = Day(balance_cents=20_000)
    day.tick(market_action(**DEBIT))

    events = day.tick(quotes={"P5950": (635, 645)})

    assert kinds(events) == ["rejected"]
    assert events[0].reason == "insufficient_buying_power: 1344 cents short at the fill"
    assert day.portfolio.cash_cents == 20_000
    assert day.state.orders == {}


def test_closing_is_never_held_back_by_buying_power_or_order_limits():
    day = Day(balance_cents=60_000, policy=no_repricing(max_open_orders=1))
    day.tick(market_action(**SPREAD))
    day.tick(open_action(P5935=1, limit_cents=5))

    events = day.tick(close_action(1, "market"))

    assert kinds(events) == ["order_placed"]


def test_the_effects_of_an_order_are_what_its_fill_would_change():
    day = Day()

    credit = day.tick(open_action(contracts=2, **SPREAD))[1]
    debit = day.tick(open_action(**DEBIT))[0]

    # credit: +1,000.00 margin; 360.00 received, 6.88 paid
    assert credit.margin_effect_cents == 100_000
    assert credit.buying_power_effect_cents == -100_000 + 36_000 - 688
    assert debit.margin_effect_cents == 0
    assert debit.buying_power_effect_cents == -18_000 - 344


def test_the_effect_of_a_close_is_the_margin_it_releases():
    day = Day()
    day.tick(market_action(**SPREAD))

    placed = day.tick(close_action(1))[-1]

    assert placed.margin_effect_cents == -50_000
    assert placed.buying_power_effect_cents == 50_000 - 18_000 - 144


def test_available_is_cash_less_maintenance_less_reserved():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(open_action(P5945=-1, P5935=1))

    assert buying_power.available_cents(day.state) == (
        day.portfolio.cash_cents - 50_000 - day.state.reserved_margin_cents
    )
    assert day.state.reserved_margin_cents == 100_000
