"""A session put down after any tick and taken up elsewhere goes on with the very same events."""

from __future__ import annotations

import json

import pytest

from simengine.state import SessionState
from simengine.step import step
from tests.engine.builders import (
    OPEN_SECONDS,
    Day,
    ScriptedStrategy,
    cancel_action,
    close_action,
    failing,
    make_policy,
    make_terms,
    make_tick,
    market_action,
    open_action,
    replace_action,
)

SPREAD = {"P5950": -1, "P5945": 1}
CONDOR = {"P5940": 1, "P5945": -1, "C5955": -1, "C5960": 1}


def script() -> dict:
    return {
        ("on_tick", 1): [open_action(contracts=2, profit_target_pct=25, name="a", **CONDOR)],
        ("on_tick", 2): [market_action(exit_at_seconds=OPEN_SECONDS + 14, **SPREAD)],
        ("on_tick", 4): [open_action(100, order="stop", C5965=1), {"do": "buy"}],
        ("on_tick", 6): [open_action(-300, P5955=-1, P5950=1)],
        ("on_tick", 8): [replace_action(4, -305)],
        ("on_tick", 9): failing(),
        ("on_tick", 11): [cancel_action(4)],
        ("on_tick", 16): [close_action(2)],
        ("at", "09:30:05"): [{"do": "skip", "reason": "filter"}],
        ("at", "09:30:07"): [open_action(P5935=1)],
    }


def ticks():
    for seq in range(1, 31):
        shift = (seq * 7) % 23
        quotes = {"P5950": (605 + shift, 615 + shift), "C5955": (370 - shift, 380 - shift)}
        if seq % 9 == 0:
            quotes["P5945"] = (-1, 445)
        yield make_tick(seq, quotes, lag_ms=4000 if seq in (12, 13) else 0)
    yield make_tick(31, at_seconds=16 * 3600)


def run(put_down_after: set[int]) -> list[str]:
    terms = make_terms(
        policy=make_policy(
            opening={"nudge_after_seconds": 2, "min_interval_seconds": 1},
            closing={"nudge_after_seconds": 3},
            max_daily_loss_e4=5000,
        )
    )
    times = (OPEN_SECONDS + 5, OPEN_SECONDS + 7, OPEN_SECONDS + 3600)
    strategy = ScriptedStrategy(
        script(), on_fill=True, on_start=True, times=times, state={"n": [1, 2]}
    )
    state = SessionState.opening(terms, times)
    lines = []
    for tick in ticks():
        result = step(state, tick, (), terms, strategy)
        lines += [json.dumps(event.as_json()) for event in result.events]
        lines.append(json.dumps(result.financials))
        if tick.seq in put_down_after:
            state = SessionState.from_json(json.loads(json.dumps(state.as_json())))
    return lines


@pytest.mark.parametrize(
    "put_down_after", [{seq} for seq in range(1, 31)] + [set(range(1, 32))], ids=str
)
def test_the_events_after_a_restart_are_the_same_bytes(put_down_after):
    assert run(put_down_after) == run(set())


def test_the_day_of_this_test_has_something_of_everything():
    kinds = {json.loads(line)["kind"] for line in run(set()) if line.startswith("{")}

    assert {"filled", "repriced", "replaced", "canceled", "exit_triggered", "stale_started",
            "trade_closed", "entry_resolved", "error_counted", "expired"} <= kinds  # fmt: skip


def test_json_there_and_back_is_the_same_state():
    day = Day()
    day.tick(open_action(**CONDOR), market_action(**SPREAD))
    day.ticks(3)

    again = SessionState.from_json(json.loads(json.dumps(day.state.as_json())))

    assert again == day.state
    assert again.as_json() == day.state.as_json()


def test_what_a_state_works_out_by_itself_is_not_stored():
    day = Day()
    day.tick(market_action(**SPREAD))
    day.tick(open_action(**CONDOR))

    raw = day.state.as_json()

    assert "reserved_margin_cents" not in raw
    assert "package" not in raw["orders"][0]
    assert SessionState.from_json(raw).reserved_margin_cents == 50_000
