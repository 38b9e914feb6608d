"""How a day ends in the books: the roll-up and the sum of it all (domain.md section 8)."""

from __future__ import annotations

from simengine.market import MISSING
from simengine.state import COMPLETED, FAILED, FINAL, KILLED
from tests.engine.builders import (
    Day,
    close_action,
    kinds,
    make_tick,
    market_action,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}
RICH = 50_000_000


def test_the_roll_up_counts_everything_to_the_cent():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(open_action(-250, **SPREAD))
    day.tick(quotes={"P5950": (655, 665)})
    day.close()

    final = day.settle(594_700)[-1]

    # sold at 1.70, worth 3.00 at settlement: -130.00; fees 3.44 and 5.00 for the one in the money
    assert final.realized_pl_cents == -13_000
    assert final.total_fees_cents == 844
    assert final.total_pl_cents == -13_844
    assert final.final_nlv_cents == 2_500_000 - 13_844
    assert (final.peak_nlv_cents, final.trough_nlv_cents) == (2_500_000, 2_486_156)
    assert final.max_intraday_dd_cents == 13_844
    assert final.max_intraday_dd_bp == 55  # 0.5538 %, rounded down
    assert (final.order_count, final.fill_count) == (2, 1)


def test_a_completed_day_says_so():
    day = Day()
    day.tick()
    day.close()

    events = day.settle(595_000)

    assert [(event.kind, event.end) for event in events if event.kind == "ended"] == [
        ("ended", COMPLETED)
    ]
    assert (day.state.phase, day.state.end) == (FINAL, COMPLETED)


def test_a_session_that_never_saw_a_fresh_tick_failed():
    day = Day()
    day.tick(lag_ms=9000)

    day.close(lag_ms=9000)

    assert (day.state.phase, day.state.end) == (FINAL, FAILED)
    assert day.state.end_reason == "no_data: no fresh tick came by the close"


def test_a_kill_between_the_close_and_the_settlement_names_the_end_and_settles_all_the_same():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()
    day.close()

    result = day.step(make_tick(99, at_ms=day.terms.close_at_ms + 1000), ["kill"])
    day.settle(594_700)

    assert kinds(result.events) == ["ended"]
    assert (day.state.phase, day.state.end) == (FINAL, KILLED)
    assert [event.end for event in day.of("ended")] == [KILLED]


def test_a_trade_that_is_being_closed_at_the_close_settles():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(close_action(1, "market"))

    day.close(quotes={"P5945": (MISSING, MISSING)})
    day.settle(596_000)

    assert day.only("trade_closed").reason == "settlement"
    assert day.only("trade_closed").profit_cents == 17_000


def test_the_sum_of_all_transactions_is_the_change_of_cash():
    day = Day(balance_cents=RICH)
    day.tick(market_action(contracts=3, **SPREAD), market_action(C5950=1))
    day.tick(close_action(1, "market"))
    day.tick(market_action(P5960=-1))
    day.tick()
    day.close()

    day.settle(594_212)

    total = sum(
        (row.value_cents if row.effect == "credit" else -row.value_cents) - row.fees_cents
        for row in day.of("booked")
    )
    assert day.portfolio.cash_cents == RICH + total
