"""The close, settlement and the roll-up (domain.md section 8)."""

from __future__ import annotations

import pytest

from simengine import ending
from simengine.state import CLOSING
from simengine.step import StepResult
from tests.engine.builders import (
    HALF_DAY_CLOSE_SECONDS,
    Day,
    contract,
    kinds,
    make_tick,
    market_action,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}
RICH = 50_000_000


@pytest.mark.parametrize(
    ("name", "settlement_cents", "intrinsic_cents"),
    [
        ("C5950", 595_001, 1),
        ("C5950", 595_000, 0),  # at the money is not in the money
        ("C5950", 594_999, 0),
        ("P5950", 594_999, 1),
        ("P5950", 595_000, 0),
        ("P5950", 595_001, 0),
        ("C5950", 595_187, 187),
        ("P5950", 590_000, 5_000),
    ],
)
def test_a_contract_is_worth_its_distance_in_the_money(name, settlement_cents, intrinsic_cents):
    assert ending.intrinsic_cents(contract(name), settlement_cents) == intrinsic_cents


# One contract held to the close; cash is |spot - strike| × 100 × quantity, and 5.00 once.
@pytest.mark.parametrize(
    ("ratios", "contracts", "settlement_cents", "kind", "cash_cents"),
    [
        ({"C5950": 1}, 1, 595_187, "exercise", 18_700 - 500),
        ({"C5950": 1}, 3, 595_187, "exercise", 3 * 18_700 - 500),  # whatever its quantity
        ({"C5950": -1}, 2, 595_187, "assignment", -2 * 18_700 - 500),
        ({"P5950": 1}, 1, 594_900, "exercise", 10_000 - 500),
        ({"P5950": -1}, 1, 594_900, "assignment", -10_000 - 500),
        ({"C5950": 1}, 2, 595_000, "expiration", 0),
        ({"C5950": -1}, 2, 595_000, "expiration", 0),
        ({"P5950": -1}, 1, 595_001, "expiration", 0),
    ],
)
def test_a_position_is_exercised_assigned_or_expires(
    ratios, contracts, settlement_cents, kind, cash_cents
):
    day = Day(balance_cents=RICH)
    day.tick(market_action(contracts=contracts, **ratios))
    day.tick()
    day.close()
    before = day.portfolio.cash_cents

    booked = [event for event in day.settle(settlement_cents) if event.kind == "booked"]

    assert [(row.type, row.quantity, row.order) for row in booked] == [(kind, contracts, None)]
    assert day.portfolio.cash_cents - before == cash_cents
    assert day.portfolio.is_flat


def test_a_pin_inside_a_condor_settles_each_instrument_by_itself():
    # Short 5945 put and 5955 call around 5950, settled at 5942: only the put side is in the money.
    day = Day(balance_cents=RICH)
    day.tick(market_action(contracts=2, P5940=1, P5945=-1, C5955=-1, C5960=1))
    day.tick()
    day.close()

    booked = [event for event in day.settle(594_200) if event.kind == "booked"]

    assert [(row.contract, row.type, row.value_cents, row.fees_cents) for row in booked] == [
        (contract("P5940"), "expiration", 0, 0),
        (contract("P5945"), "assignment", 2 * 30_000, 500),
        (contract("C5955"), "expiration", 0, 0),
        (contract("C5960"), "expiration", 0, 0),
    ]


@pytest.mark.parametrize("settlement_cents", [594_500, 595_500])
def test_a_pin_at_a_short_strike_leaves_it_worthless(settlement_cents):
    day = Day(balance_cents=RICH)
    day.tick(market_action(P5945=-1, C5955=-1))
    day.tick()
    day.close()

    booked = [event for event in day.settle(settlement_cents) if event.kind == "booked"]

    assert [row.type for row in booked] == ["expiration", "expiration"]


def test_trades_in_one_instrument_settle_net():
    # One trade sold two P5950, another bought one: one is left, settled once.
    day = Day(balance_cents=RICH)
    day.tick(market_action(contracts=2, P5950=-1), market_action(P5950=1))
    day.tick()
    day.close()

    events = day.settle(594_900)

    booked = [event for event in events if event.kind == "booked"]
    assert [(row.type, row.quantity, row.value_cents) for row in booked] == [
        ("assignment", 1, 10_000)
    ]
    # 2 × (6.15 - 1.00) and 1.00 - 6.25, before fees
    assert [event.profit_cents for event in events if event.kind == "trade_closed"] == [
        103_000,
        -52_500,
    ]


def test_trades_that_cancel_out_have_nothing_to_settle():
    day = Day(balance_cents=RICH)
    day.tick(market_action(P5950=-1), market_action(P5950=1))
    day.tick()
    day.close()

    events = day.settle(594_000)

    assert kinds(events) == ["settled", "trade_closed", "trade_closed", "ended", "finalized"]
    assert day.row.realized_profit_loss == -1_000


def test_the_close_expires_orders_and_waits_for_the_settlement_value():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(open_action(**SPREAD))

    events = day.close()

    assert [kind for kind in kinds(events) if kind not in STALE] == ["expired", "closed"]
    assert day.state.phase == CLOSING
    assert day.of("finalized") == []


STALE = ("stale_started", "stale_ended", "error_counted")


def test_the_closing_tick_marks_and_has_a_row_and_later_ticks_do_neither():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()
    day.close(quotes={"P5950": (655, 665)}, spot_cents=594_300)
    marked = day.row.net_liquidation_value
    at_ms = day.terms.close_at_ms + 1000

    after = day.step(make_tick(99, {"P5950": (955, 965)}, at_ms=at_ms, spot_cents=580_000))

    assert after == StepResult([], None)
    assert marked == 2_516_656 - 22_000
    assert day.row.net_liquidation_value == marked
    assert day.state.spot_cents == 594_300  # the last spot of the session


def test_the_market_can_be_closed_without_a_closing_tick():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()

    events = ending.close_market(day.state, day.terms, at_ms=day.terms.close_at_ms)
    again = ending.close_market(day.state, day.terms, at_ms=day.terms.close_at_ms)

    assert kinds(events) == ["closed"]
    assert again == []


def test_a_half_day_closes_at_one():
    day = Day(close_seconds=HALF_DAY_CLOSE_SECONDS)
    day.tick(open_action(**SPREAD))

    before = day.tick(at_seconds=HALF_DAY_CLOSE_SECONDS - 1)
    at_close = day.tick(at_seconds=HALF_DAY_CLOSE_SECONDS)

    assert "expired" not in kinds(before)
    assert kinds(at_close) == ["expired", "closed"]


def test_a_half_day_settles_what_is_held_at_one():
    # Sold at 1.70 less 3.44 of fees; at 5947.00 the short put is worth 3.00: assigned, 5.00 of fee.
    day = Day(close_seconds=HALF_DAY_CLOSE_SECONDS)
    day.tick(market_action(**SPREAD))
    day.tick()

    day.close()
    day.settle(594_700)

    settled = [(event.type, event.value_cents, event.fees_cents) for event in day.of("booked")[2:]]
    assert settled == [("assignment", 30_000, 500), ("expiration", 0, 0)]
    assert day.only("trade_closed").profit_cents == 17_000 - 30_000
    assert day.only("finalized").total_pl_cents == 17_000 - 344 - 30_000 - 500
    assert day.state.closed_trades[0].closed_at_ms == day.terms.close_at_ms


def test_settlement_happens_exactly_once():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()
    day.close()
    day.settle(594_700)

    with pytest.raises(ValueError, match="settles after the close, not while final"):
        day.settle(594_700)


def test_a_running_session_cannot_settle():
    day = Day()
    day.tick()

    with pytest.raises(ValueError, match="not while running"):
        day.settle(594_700)


def test_settlement_is_repeatable_from_the_state_before_it():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()
    day.close()
    before = day.state.as_json()

    first = day.settle(594_700)
    day.state = type(day.state).from_json(before)
    second = day.settle(594_700)

    assert [event.as_json() for event in first] == [event.as_json() for event in second]


def test_the_settlement_value_decides_not_the_last_spot():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()
    day.close(spot_cents=596_000)

    day.settle(594_700)

    assert day.only("settled").settlement_cents == 594_700
    assert [row.type for row in day.of("booked")][2:] == ["assignment", "expiration"]
