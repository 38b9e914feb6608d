"""Stale data: old ticks and silence (domain.md section 6)."""

from __future__ import annotations

import pytest

from simengine.state import WAITING
from tests.engine.builders import (
    MIDNIGHT_MS,
    OPEN_SECONDS,
    Day,
    kinds,
    make_policy,
    no_repricing,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}
OPEN_MS = MIDNIGHT_MS + OPEN_SECONDS * 1000


@pytest.mark.parametrize(("lag_ms", "is_stale"), [(0, False), (3000, False), (3001, True)])
def test_a_tick_is_stale_when_it_is_older_than_the_threshold(lag_ms, is_stale):
    day = Day()
    day.tick()

    day.tick(lag_ms=lag_ms)

    assert bool(day.of("stale_started")) is is_stale


def test_on_a_stale_tick_nothing_fills_moves_or_is_asked():
    day = Day(policy=make_policy(opening={"nudge_after_seconds": 1}))
    day.tick(open_action(-170, **SPREAD))
    calls_before = len(day.strategy.calls)

    events = day.tick(lag_ms=5000)

    assert kinds(events) == ["stale_started", "error_counted"]
    assert len(day.strategy.calls) == calls_before
    assert day.row.seq == 2  # and yet the tick has its financial row


@pytest.mark.parametrize(("gap_ms", "is_stale"), [(3000, False), (3001, True), (60_000, True)])
def test_no_tick_for_longer_than_the_threshold_is_stale_data(gap_ms, is_stale):
    day = Day()
    day.tick()

    day.tick(at_ms=OPEN_MS + gap_ms)

    assert bool(day.of("stale_started")) is is_stale


def test_an_episode_of_silence_starts_at_the_threshold_and_ends_with_the_tick():
    day = Day()
    day.tick()

    events = day.tick(open_action(**SPREAD), at_ms=OPEN_MS + 10_000)

    assert kinds(events) == ["stale_started", "error_counted", "stale_ended", "order_placed"]
    started, _, ended, _ = events
    assert (started.since_ms, started.reason) == (OPEN_MS + 3000, "silence")
    assert (ended.at_ms, ended.lasted_ms) == (OPEN_MS + 10_000, 7000)


def test_an_episode_is_one_event_at_each_end_and_one_error():
    day = Day()
    day.tick()

    day.ticks(5, lag_ms=4000)
    day.tick()

    assert kinds(day.of("stale_started", "stale_ended")) == ["stale_started", "stale_ended"]
    assert day.only("stale_started").reason == "lag"
    assert day.state.error_count == day.state.stale_episodes == 1


def test_silence_that_ends_in_an_old_tick_is_one_episode():
    day = Day()
    day.tick()

    day.tick(at_ms=OPEN_MS + 10_000, lag_ms=9000)
    day.tick(at_ms=OPEN_MS + 11_000)

    assert day.state.stale_episodes == 1
    assert day.only("stale_ended").lasted_ms == 11_000 - 3000


def test_two_episodes_are_two_errors():
    day = Day()
    day.tick()

    for lag_ms in (4000, 0, 4000, 0):
        day.tick(lag_ms=lag_ms)

    assert day.state.error_count == 2


def test_staleness_before_the_first_fresh_tick_costs_nothing():
    day = Day(policy=no_repricing(error_budget=0))

    day.ticks(3, lag_ms=9000)

    assert (day.state.phase, day.state.error_count) == (WAITING, 0)


def test_the_threshold_is_the_policys():
    day = Day(policy=no_repricing(data_staleness_threshold_ms=500))
    day.tick()

    day.tick(lag_ms=501)

    assert day.state.stale_episodes == 1
