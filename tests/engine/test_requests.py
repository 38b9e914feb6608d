"""Kill, flatten, cancel all: obeyed between ticks (domain.md section 7)."""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from simengine.state import CLOSING, FINAL, FLATTENING, KILLED, MARKING, RUNNING
from simengine.step import StepResult
from tests.engine.builders import (
    MIDNIGHT_MS,
    OPEN_SECONDS,
    Day,
    kinds,
    make_tick,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def test_a_kill_cancels_and_ends_a_flat_session_at_once():
    day = Day()
    day.tick(open_action(**SPREAD))

    events = day.tick(requests=["kill"])

    assert kinds(events) == ["canceled", "ended", "finalized"]
    assert (day.state.phase, day.state.end) == (FINAL, KILLED)
    assert day.state.end_reason == "requested: stop"


def test_a_killed_session_with_positions_is_marked_until_the_close_and_settles_then():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()

    day.tick(requests=["kill"])
    after_kill = day.state.phase
    day.tick(quotes={"P5950": (655, 665)})
    marked = day.row.net_liquidation_value
    day.close()
    at_close = day.state.phase
    day.settle(596_000)

    assert (after_kill, at_close, day.state.phase) == (MARKING, CLOSING, FINAL)
    assert marked == 2_516_656 - 22_000
    assert day.state.end == KILLED
    assert [event.end for event in day.of("ended")] == [KILLED]


def test_a_killed_session_asks_its_program_no_more_and_reaches_no_cap():
    day = Day(policy=no_repricing(max_daily_loss_e4=50))
    day.tick(market_action(**SPREAD))
    day.tick(requests=["kill"])
    calls_before = len(day.strategy.calls)

    day.tick(quotes={"P5950": (955, 965)})

    assert len(day.strategy.calls) == calls_before
    assert day.of("daily_loss_reached") == []


def test_a_kill_with_flatten_closes_every_position_at_market_first():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()

    first = day.tick(requests=["kill_flat"])
    second = day.tick()

    assert kinds(first) == ["flattening", "order_placed"]
    assert first[1].type == "market"
    assert kinds(second)[-2:] == ["ended", "finalized"]
    assert (day.state.phase, day.state.end) == (FINAL, KILLED)
    assert day.portfolio.is_flat


def test_a_kill_with_flatten_of_a_flat_session_ends_at_once():
    day = Day()
    day.tick()

    day.tick(requests=["kill_flat"])

    assert (day.state.phase, day.state.end) == (FINAL, KILLED)


def test_a_kill_before_the_first_tick_ends_the_session():
    day = Day()

    events = day.tick(at_seconds=OPEN_SECONDS - 60, requests=["kill"])

    assert kinds(events) == ["ended", "finalized"]


def test_a_kill_while_flattening_changes_how_the_end_is_called_and_not_the_way_out():
    day = Day(policy=no_repricing(max_daily_loss_e4=50))
    day.tick(market_action(contracts=10, **SPREAD))
    day.tick()
    assert day.state.phase == FLATTENING

    day.tick(requests=["kill"], quotes={"P5950": (MISSING, MISSING)})
    still_flattening = day.state.phase == FLATTENING and len(day.state.orders) == 1
    day.tick()

    assert still_flattening
    assert (day.state.phase, day.state.end) == (FINAL, KILLED)
    assert day.portfolio.is_flat
    assert day.state.end_reason.startswith("requested: stop, while flattening for daily_loss_cap")


def test_cancel_all_cancels_every_order_and_keeps_running():
    day = Day()
    day.tick(open_action(**SPREAD), open_action(**SPREAD))

    events = day.tick(requests=["cancel_all"])

    assert [(event.kind, event.reason) for event in events] == [("canceled", "requested")] * 2
    assert day.state.phase == RUNNING


def test_cancel_all_leaves_the_way_out_of_a_flattening_session_alone():
    day = Day(policy=no_repricing(max_daily_loss_e4=50))
    day.tick(market_action(contracts=10, **SPREAD))
    day.tick()

    day.tick(requests=["cancel_all"])

    assert day.of("canceled") == []
    assert day.state.phase == FINAL


def test_requests_are_obeyed_even_on_a_repeated_tick():
    day = Day()
    day.tick(open_action(**SPREAD))

    result = day.step(make_tick(1), ["kill"])

    assert kinds(result.events) == ["tick_ignored", "canceled", "ended", "finalized"]


def test_requests_are_obeyed_on_a_stale_tick():
    day = Day()
    day.tick(open_action(**SPREAD))

    events = day.tick(requests=["cancel_all"], lag_ms=9000)

    assert kinds(events) == ["stale_started", "error_counted", "canceled"]


def test_an_unknown_request_is_a_bug_of_the_caller():
    day = Day()

    with pytest.raises(ValueError, match="unknown request 'pause'"):
        day.tick(requests=["pause"])


def test_a_final_session_takes_no_tick_any_more():
    day = Day()
    day.tick(requests=["kill"])
    before = day.state.as_json()

    result = day.step(make_tick(1), ["kill", "cancel_all"])
    again = day.step(make_tick(2, at_ms=MIDNIGHT_MS + 36_000_000))

    assert result == again == StepResult([], None)
    assert day.state.as_json() == {**before, "last_seq": 2}
