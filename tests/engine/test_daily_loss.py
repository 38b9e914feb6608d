"""The daily-loss cap: reached, latched, flat, halted (domain.md section 6).

$25,000 and a cap of 2 % make $500.00. The trade: one short P5950/P5945 spread sold at market for
1.70, fees 3.44: cash 25,166.56. Marked at a raw mid of m the NLV is 25,166.56 - 100 × m.
"""

from __future__ import annotations

import pytest

from simengine.fees import FeeSchedule
from simengine.market import MISSING
from simengine.state import CLOSING, FINAL, FLATTENING, HALTED
from tests.engine.builders import (
    Day,
    ScriptedStrategy,
    close_action,
    kinds,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def holding(contracts: int = 1, cap_e4: int = 200, **terms) -> Day:
    """Two ticks in: the spread is held."""
    day = Day(policy=no_repricing(max_daily_loss_e4=cap_e4, **terms.pop("policy", {})), **terms)
    day.tick(market_action(contracts=contracts, **SPREAD))
    day.tick()
    return day


# 10 spreads: cash 25,000 + 1,700 - 34.40, so the loss at a raw mid of m is 1,000 × m - 1,665.60.
@pytest.mark.parametrize(
    ("mid_cents", "loss_cents", "reached"),
    [(216, 49_440, False), (217, 50_440, True)],
)
def test_the_cap_is_reached_when_the_loss_is(mid_cents, loss_cents, reached):
    day = holding(contracts=10)

    day.tick(quotes={"P5950": (435 + mid_cents, 445 + mid_cents)})

    assert day.row.profit_loss == -loss_cents
    assert bool(day.of("daily_loss_reached")) is reached


@pytest.mark.parametrize(
    ("balance_cents", "reached"),
    [
        (1_672_000, True),  # 2 % is 334.40, the loss to the cent
        (1_672_050, False),  # 2 % is 334.41, a cent more
        (1_672_001, False),  # 2 % is 334.4002, and a loss of 334.40 is less
        (1_671_950, True),
    ],
)
def test_at_the_cap_to_the_cent_it_is_reached_and_a_cent_below_it_is_not(balance_cents, reached):
    # One spread sold at 1.70 with fees of 1.70 a leg, marked at 5.01: 170.00 - 3.40 - 501.00.
    day = holding(balance_cents=balance_cents, fees=FeeSchedule(open_cents=170))

    day.tick(quotes={"P5950": (936, 946)})

    assert day.row.profit_loss == -33_440
    assert bool(day.of("daily_loss_reached")) is reached


def test_it_says_how_large_the_loss_was_and_what_the_cap_is():
    day = holding(contracts=10)

    day.tick(quotes={"P5950": (655, 665)})  # m = 2.20: 2,200.00 - 1,665.60 = 534.40

    reached = day.only("daily_loss_reached")
    assert (reached.loss_cents, reached.cap_cents) == (53_440, 50_000)
    assert day.state.end_reason == "daily_loss_cap: drawdown 2.13 % reached the cap of 2.00 %"


def test_reached_it_cancels_closes_at_natural_as_a_package_and_ends_halted():
    day = holding(contracts=10)
    day.tick(open_action(-2000, C5955=-1, C5965=1))

    first = day.tick(quotes={"P5950": (655, 665)})
    second = day.tick(quotes={"P5950": (655, 665)})

    assert kinds(first) == ["daily_loss_reached", "canceled", "flattening", "order_placed"]
    assert first[1].reason == "daily_loss_cap"
    assert (first[3].type, first[3].units, [leg.ratio for leg in first[3].legs]) == (
        "market", 10, [1, -1],
    )  # fmt: skip
    assert second[0].kind == "filled"
    assert second[0].price_cents == 665 - 435  # the reversed package at its natural price
    assert kinds(second)[-2:] == ["ended", "finalized"]
    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert day.portfolio.is_flat


def test_every_trade_is_closed_by_an_order_of_its_own():
    day = holding(contracts=10)
    day.tick(market_action(C5955=-1, C5965=1))
    day.tick()

    events = day.tick(quotes={"P5950": (655, 665)})

    placed = [event for event in events if event.kind == "order_placed"]
    assert [(event.trade, event.units, event.reason) for event in placed] == [
        (1, 10, "flatten"),
        (2, 1, "flatten"),
    ]


def test_it_is_latched_a_recovery_of_the_mid_changes_nothing():
    day = holding(contracts=10)
    day.tick(quotes={"P5950": (655, 665)})

    day.tick()  # back at 1.80: a profit, but for the fees

    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert day.of("filled")[-1].price_cents == 190


def test_nothing_new_opens_and_the_program_is_not_called_any_more():
    strategy = ScriptedStrategy({("on_tick", 1): [market_action(contracts=10, **SPREAD)]})
    day = Day(policy=no_repricing(max_daily_loss_e4=200), strategy=strategy)
    day.ticks(2)
    calls_before = len(strategy.calls)

    day.tick(quotes={"P5950": (655, 665), "P5945": (435, MISSING)})
    day.tick(market_action(**SPREAD), quotes={"P5950": (655, 665), "P5945": (435, MISSING)})

    assert len(strategy.calls) == calls_before
    assert day.state.phase == FLATTENING
    assert len(day.state.trades) == 1


def test_with_an_unusable_leg_it_keeps_trying_each_tick_until_flat():
    day = holding(contracts=10)
    day.tick(quotes={"P5950": (655, 665)})
    gone = {"P5945": (MISSING, MISSING), "P5950": (655, 665)}

    day.tick(quotes=gone)
    day.tick(quotes=gone)
    still_held = not day.portfolio.is_flat and day.state.phase == FLATTENING
    day.tick(quotes={"P5950": (655, 665)})

    assert still_held
    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert len(day.of("flattening")) == 1


def test_a_worthless_leg_is_given_away():
    # The bought leg has no bid: 10 × (6.65 - 0).
    day = holding(contracts=10)
    day.tick(quotes={"P5950": (655, 665)})

    day.tick(quotes={"P5950": (655, 665), "P5945": (0, 5)})

    assert day.of("filled")[-1].price_cents == 665
    assert day.state.end == HALTED


def test_a_missing_quote_keeps_its_last_mark_and_the_cap_looks_at_that():
    # P5950 has no quote while P5945 falls from 4.40 to 4.00: m = 6.20 - 4.00 = 2.20.
    day = holding(contracts=10)

    day.tick(quotes={"P5950": (MISSING, MISSING), "P5945": (395, 405)})

    assert day.row.profit_loss == -53_440
    assert kinds(day.of("daily_loss_reached")) == ["daily_loss_reached"]


def test_a_missing_quote_alone_changes_no_mark_and_reaches_no_cap():
    day = holding(contracts=10)
    before = day.row.net_liquidation_value

    day.tick(quotes={"P5950": (MISSING, 665), "P5945": (MISSING, MISSING)})

    assert day.row.net_liquidation_value == before
    assert day.of("daily_loss_reached") == []


def test_a_stale_tick_keeps_the_marks_too():
    day = holding(contracts=10)
    before = day.row.net_liquidation_value

    day.tick(quotes={"P5950": (655, 665)}, lag_ms=3001)

    assert day.row.net_liquidation_value == before


def test_what_cannot_be_closed_by_the_close_settles_and_stays_halted():
    day = holding(contracts=10)
    day.tick(quotes={"P5950": (655, 665)})
    gone = {"P5945": (MISSING, MISSING)}
    day.ticks(3, quotes=gone)

    at_close = day.close(quotes=gone)
    day.settle(594_800)

    assert "expired" in kinds(at_close)
    assert day.only("ended").end == HALTED
    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert day.portfolio.is_flat


def test_fees_and_realized_losses_count_as_loss():
    # No position any more: 10 × (1.70 - 1.90) = -200.00, fees 34.40 + 14.40: 248.80 of a cap of
    # 248.80 on a balance of 12,440.
    day = Day(policy=no_repricing(max_daily_loss_e4=200), balance_cents=1_244_000)
    day.tick(market_action(contracts=10, **SPREAD))
    day.tick(close_action(1, "market"))

    events = day.tick()

    assert day.row.profit_loss == -24_880
    assert "daily_loss_reached" in kinds(events)
    assert kinds(events)[-2:] == ["ended", "finalized"]  # flat already: halted at once


def test_a_balance_of_nothing_has_nothing_to_lose():
    day = Day(balance_cents=0)

    events = day.tick()

    assert (day.state.phase, day.state.end) == (FINAL, HALTED)
    assert events[-1].max_intraday_dd_bp == 0


def test_the_largest_cap_holds_too():
    day = holding(contracts=10, cap_e4=5000)

    day.tick(quotes={"P5950": (1655, 1665)})  # m = 12.20: a loss of 10,534.40 of 12,500

    assert day.of("daily_loss_reached") == []
    assert day.state.phase != CLOSING
