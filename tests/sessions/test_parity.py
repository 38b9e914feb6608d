"""The same strategy over the same tape is the same session, byte for byte, however it was run."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from sessions.hosted import HostedSession
from sessions.models import BotSession
from simengine.market import Tick
from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.runtime.program import parse_program
from strategies.templates import TEMPLATES
from tests.sessions.parity import (
    Day,
    Live,
    patient_sandbox,
    run_undisturbed,
    run_with_deaths,
    simulated,
)

pytestmark = pytest.mark.django_db

BY_HAND = """\
times = ["10:00", "10:01:30"]


def on_start(ctx):
    ctx.state = {"calls": 0, "fills": []}


def on_fill(ctx, fill):
    ctx.state = {**ctx.state, "fills": ctx.state["fills"] + [fill.price_cents]}
    ctx.signal("filled", price=fill.price, luck=ctx.random())


def at(ctx, time):
    legs = [sell("put", delta=0.3), buy("put", offset=-25, leg=0)]
    ctx.open(legs, contracts=1 + int(ctx.random() * 3), trailing_stop_pct=10, exit_on_touch=True)


def on_tick(ctx):
    state = ctx.state
    state["calls"] = state["calls"] + 1
    ctx.state = state
    if state["calls"] % 40 == 0:
        ctx.log("looked", calls=state["calls"], spot=ctx.spot, luck=ctx.random())
    if state["calls"] == 100:
        raise ValueError("once")
    for trade in ctx.trades:
        if trade.age_seconds == 90 and not trade.is_closing:
            ctx.close(trade)
"""
EVERY_OUTCOME = """\
times = ["09:59:40", "10:00", "10:00:30", "10:01", "12:00", "15:54:55", "15:55:30"]


def at(ctx, time):
    spread = [sell("put", delta=0.3), buy("put", offset=-25, leg=0)]
    if time == "10:00":
        return ctx.open(spread, order="market", exit_at="15:54:52")
    if time == "10:01":
        return ctx.open(spread, limit=20.00)
    if time == "15:54:55":
        raise ValueError("at its time")
    ctx.skip("not now")


def on_tick(ctx):
    if ctx.time >= "15:55:00":
        raise ValueError("again and again")
"""
OUTCOMES = {
    "2026-05-07T13:59:40.000Z": "missed",  # before the first tick
    "2026-05-07T14:00:00.000Z": "filled",
    "2026-05-07T14:00:30.000Z": "skipped",  # by the program
    "2026-05-07T14:01:00.000Z": "unfilled",  # canceled when the session halts
    "2026-05-07T16:00:00.000Z": "missed",  # in the silence
    "2026-05-07T19:54:55.000Z": "skipped",  # by an error
    "2026-05-07T19:55:30.000Z": "blocked",  # halted by then
}
PROGRAMS = {
    **{each.id: compile_form(normalise(each.config)) for each in TEMPLATES},
    "by-hand": BY_HAND,
    "every-outcome": EVERY_OUTCOME,
}


def ripple(second: int) -> float:
    return 5950 + round(8 * math.sin(second / 9)) / 4


def storm(second: int) -> float:
    """Down 50 points within two minutes of 10:01, and half of that back."""
    fallen = min(max(0, second - 1860), 50)
    back = min(max(0, (second - 1920) / 2), 25)
    return ripple(second) - fallen + back


DAYS = {
    "a quiet day": Day(ripple, lambda second: 22 if second < 20_000 else 5, 595_100),
    "a storm": Day(storm, lambda second: 22, 592_000),
}


@cache
def documents_of(day: str) -> dict[str, dict[str, Any]]:
    """What `simulate` writes of a day, by program."""
    tape = DAYS[day].tape()
    with patient_sandbox() as sandbox:
        return {name: simulated(tape, program, sandbox) for name, program in PROGRAMS.items()}


@pytest.fixture(params=DAYS)
def day(request) -> str:
    return request.param


@pytest.fixture
def documents(day) -> dict[str, dict[str, Any]]:
    return documents_of(day)


@pytest.fixture
def live(day, documents, alice, monkeypatch) -> Live:
    started = Live(alice, DAYS[day].tape(), monkeypatch)
    for name, program in PROGRAMS.items():
        started.start(program, documents[name]["session"])
    return started


def differences(live: Live, documents, client) -> dict[str, Any]:
    """By program and read: what the API tells and what `simulate` wrote, where they differ."""
    found = {}
    for name, document in documents.items():
        read = live.read(client, document["session"])
        for part, told in read.items():
            said, expected = comparable(part, told), comparable(part, document[part])
            if said != expected:
                found[name, part] = first_difference(said, expected)
    return found


def comparable(part: str, rows: Any) -> str:
    """The bytes, without what tells who started the session and when by the wall's clock."""
    if part == "session":
        rows = {name: value for name, value in rows.items() if name != "created_at"}
    if part == "events":
        rows = [row for row in rows if row["data"].get("status") != "registering"]
    return json.dumps(rows, sort_keys=True)  # the database has an order of keys of its own


def first_difference(one: str, other: str) -> tuple[str, str]:
    """Where two texts part, with what is around it."""
    pairs = enumerate(zip(one, other, strict=False))
    place = next((at for at, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))
    around = slice(max(0, place - 100), place + 60)
    return one[around], other[around]


def test_every_program_trades(documents):
    fills = {name: document["session"]["fill_count"] for name, document in documents.items()}

    assert all(count >= 2 for count in fills.values()), fills


def test_every_planned_entry_has_one_outcome(documents):
    """The tests below compare: so has the live session, and the one that was killed."""
    for name, document in documents.items():
        planned = parse_program(PROGRAMS[name]).hooks.times
        outcomes = [row["outcome"] for row in document["entries"]]

        assert len(outcomes) == len(planned)
        assert set(outcomes) <= set(OUTCOMES.values())


def test_an_entry_can_have_any_of_the_outcomes():
    entries = documents_of("a quiet day")["every-outcome"]["entries"]

    assert {row["scheduled_at"]: row["outcome"] for row in entries} == OUTCOMES


def test_the_days_between_them_use_every_exit_rule():
    used = set()
    for day in DAYS:
        for document in documents_of(day).values():
            triggered = [row for row in document["events"] if row["kind"] == "exit_triggered"]
            used |= {row["data"]["rule"] for row in triggered}

    assert used == {"profit_target", "stop_loss", "trailing_stop", "touch", "exit_at"}


def test_a_live_session_is_the_simulated_one(live, documents, alice, client_for):
    run_undisturbed(live, itertools.cycle([1, 7, 30, 2, 61]))

    assert differences(live, documents, client_for(alice)) == {}


def test_a_session_killed_and_resumed_is_the_simulated_one(live, documents, alice, client_for):
    run_with_deaths(live, itertools.cycle([17, 1, 29, 3, 31]), loses_work=range(2, 99, 3))

    assert min(BotSession.objects.values_list("takeovers", flat=True)) > 3
    assert differences(live, documents, client_for(alice)) == {}


def only_count(hosted: HostedSession, ticks: Iterable[Tick]) -> None:
    for tick in ticks:
        hosted.state.last_seq, hosted.state.last_at_ms = tick.seq, tick.at_ms
        hosted.state.tick_count += 1


def test_a_runner_that_forgets_the_quiet_ticks_is_found_out(
    live, documents, alice, client_for, monkeypatch
):
    """The control of the test above."""
    monkeypatch.setattr(HostedSession, "replay", only_count)

    run_with_deaths(live, itertools.cycle([45]), loses_work=[])

    assert differences(live, documents, client_for(alice)) != {}
