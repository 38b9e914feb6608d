"""One tick in its order, and repeated and missing ticks (domain.md section 7)."""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from simengine.state import FLATTENING, WAITING
from tests.engine.builders import (
    OPEN_SECONDS,
    Day,
    ScriptedStrategy,
    close_action,
    kinds,
    make_policy,
    make_tick,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def test_the_first_fresh_tick_starts_the_session():
    day = Day()

    before_the_open = day.tick(at_seconds=OPEN_SECONDS - 1)
    stale = day.tick(at_seconds=OPEN_SECONDS, lag_ms=4000)
    waiting = day.state.phase
    fresh = day.tick(at_seconds=OPEN_SECONDS + 1, spot_cents=595_123)

    assert before_the_open == []
    assert kinds(stale) == ["stale_started"]
    assert waiting == WAITING
    assert kinds(fresh) == ["stale_ended", "started"]
    assert day.state.open_spot_cents == 595_123


@pytest.mark.parametrize(
    ("seq", "at_seconds"),
    [
        (2, OPEN_SECONDS + 1),  # the same again
        (1, OPEN_SECONDS),  # an older one
        (3, OPEN_SECONDS + 1),  # a new number for an old second
        (3, OPEN_SECONDS),
        (2, OPEN_SECONDS + 2),  # an old number for a new second
    ],
)
def test_a_repeated_or_older_tick_is_ignored_and_noted(seq, at_seconds):
    day = Day()
    day.tick()
    day.tick(open_action(-170, **SPREAD))
    before = day.state.as_json()

    result = day.step(make_tick(seq, at_seconds=at_seconds, quotes={"P5950": (0, 5)}))

    assert [(event.kind, event.seq, event.last_seq) for event in result.events] == [
        ("tick_ignored", seq, 2)
    ]
    assert result.financials is None
    assert day.state.as_json() == {**before, "last_seq": max(seq, 2)}


def test_a_gap_is_noted_with_both_of_its_ends():
    day = Day()
    day.tick()

    day.step(make_tick(4))

    (gap,) = day.of("gap_noted")
    assert (gap.after_seq, gap.seq) == (1, 4)
    assert day.row.seq == 4


def test_a_session_that_starts_in_the_middle_of_a_day_notes_no_gap():
    day = Day()

    day.step(make_tick(5000))

    assert day.of("gap_noted") == []


def test_every_processed_tick_has_one_row_and_times_only_grow():
    day = Day()
    day.tick(market_action(**SPREAD))
    for changes in ({}, {"lag_ms": 4000}, {"quotes": {"P5950": (MISSING, 5)}}, {}):
        day.tick(**changes)
    day.step(make_tick(3))

    assert [row.seq for row in day.rows] == [1, 2, 3, 4, 5]
    assert [row.at_ms for row in day.rows] == sorted({row.at_ms for row in day.rows})


def test_the_stages_follow_each_other_in_their_order():
    # A tick on which everything happens: a gap, silence, a fill, a re-price, an exit and the
    # program.
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(profit_target_pct=1, **SPREAD), open_action(P5955=-1, P5935=1))
    day.tick()
    day.tick(open_action(-170, C5955=-1, C5965=1))

    events = day.tick(
        {"do": "log", "message": "last"},
        seq=9,
        quotes={"P5950": (555, 565), "P5955": (825, 835)},
    )

    assert kinds(events) == [
        "gap_noted", "stale_started", "error_counted", "stale_ended",  # 1 take
        "filled", "booked", "position_changed", "booked", "position_changed", "trade_opened",  # 3
        "repriced",  # 6
        "exit_triggered", "order_placed",
        "logged",  # 7
    ]  # fmt: skip


def test_an_order_that_fills_is_not_re_priced_any_more():
    day = Day(policy=make_policy(opening={"nudge_after_seconds": 1}))
    day.tick(open_action(-170, **SPREAD))

    day.tick(quotes={"P5950": (625, 635)})  # the mid moved, and so would the limit

    assert day.only("filled").price_cents == -185
    assert day.of("repriced") == []


def test_requests_are_obeyed_before_resting_orders_match():
    day = Day()
    day.tick(open_action(-170, **SPREAD))

    events = day.tick(requests=["cancel_all"])

    assert kinds(events) == ["canceled"]
    assert day.of("filled") == []


def test_the_daily_loss_is_looked_at_after_fills_and_before_the_program():
    strategy = ScriptedStrategy({("on_tick", 1): [market_action(contracts=10, **SPREAD)]})
    day = Day(policy=no_repricing(max_daily_loss_e4=50), strategy=strategy)
    day.tick()

    day.tick()  # the fill itself costs 134.40: 10 × 10.00 and the fees; the cap is 125.00

    assert day.state.phase == FLATTENING
    assert len(strategy.calls) == 1


def test_a_close_asked_for_is_filled_before_the_next_is_placed():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(close_action(1, "market"))

    events = day.tick(market_action(**SPREAD))

    assert kinds(events)[0] == "filled"
    assert kinds(events)[-1] == "order_placed"
