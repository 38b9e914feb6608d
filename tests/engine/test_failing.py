"""A session that cannot go on (domain.md sections 6 and 8)."""

from __future__ import annotations

from simengine import ending
from simengine.state import FAILED, FINAL, KILLED
from tests.engine.builders import (
    Day,
    kinds,
    market_action,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def test_a_flat_session_that_cannot_go_on_fails_at_once():
    day = Day()
    day.tick(open_action(**SPREAD))

    events = ending.fail(day.state, day.terms, "strategy_crashed: three times at one tick")

    assert kinds(events) == ["canceled", "ended", "finalized"]
    assert (day.state.phase, day.state.end) == (FINAL, FAILED)


def test_a_session_that_fails_with_positions_is_flattened_without_its_program():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick()

    ending.fail(day.state, day.terms, "strategy_crashed: three times at one tick")
    day.ticks(2)

    assert (day.state.phase, day.state.end) == (FINAL, FAILED)
    assert day.portfolio.is_flat
    assert len(day.strategy.calls) == 2


def test_failing_while_flattening_changes_how_the_end_is_called():
    day = Day(policy=no_repricing(max_daily_loss_e4=50))
    day.tick(market_action(contracts=10, **SPREAD))
    day.tick()

    events = ending.fail(day.state, day.terms, "lost: no database")
    day.tick()

    assert kinds(events) == ["flattening"]
    assert (day.state.phase, day.state.end) == (FINAL, FAILED)


def test_what_has_ended_does_not_fail_any_more():
    day = Day()
    day.tick(requests=["kill"])

    assert ending.fail(day.state, day.terms, "late") == []
    assert day.state.end == KILLED
