"""The decision log of a whole session has an end, and says so."""

from __future__ import annotations

import pytest

from simengine import decisions
from simengine.events import Logged, Signalled
from simengine.state import SessionState
from simengine.step import step
from tests.engine.builders import make_terms
from tests.engine.market_days import market_day

CHATTY = """def on_tick(ctx):
    for number in range(60):
        ctx.log(f"line {number}")
        ctx.signal("mark", number=number)
"""


@pytest.fixture
def lines(sandbox, monkeypatch):
    """What three ticks of a chatty program write where 250 entries are allowed."""
    monkeypatch.setattr(decisions, "DECISIONS_A_SESSION", 250)
    terms, strategy = make_terms(), sandbox.strategy(CHATTY)
    state = SessionState.opening(terms)
    events = []
    for tick in market_day(seed=1, seconds=3):
        events += step(state, tick, (), terms, strategy).events
        state = SessionState.from_json(state.as_json())  # as after a change of runners
    return [event for event in events if isinstance(event, (Logged, Signalled))]


def test_entries_stand_in_the_order_they_were_made(lines):
    assert [line.number for line in lines] == list(range(1, 251))
    assert [type(line) for line in lines[:4]] == [Logged, Signalled, Logged, Signalled]


def test_what_one_call_writes_beyond_its_limit_is_counted(lines):
    assert lines[100].message == "20 more log entries were cut: at most 100 a call"
    assert lines[100].data == {"cut": 20}


def test_the_last_entry_a_session_may_write_says_that_the_rest_is_cut(lines):
    assert len(lines) == 250
    assert lines[-1].message == (
        "the decision log is full: at most 250 entries a session; the rest is cut"
    )
