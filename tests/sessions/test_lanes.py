"""Who is served first: no program holds up the sessions beside it, and nobody is left out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from sessions import lanes, runner, services
from sessions.hosted import HostedSession
from sessions.lanes import Lane, lane_of
from sessions.models import BotSession
from sessions.registration import Registrar
from sessions.runner import Runner
from strategies.runtime.live import Limits
from strategies.runtime.sandbox import Sandbox
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db

COUNTER = "def on_tick(ctx):\n    ctx.state = (ctx.state or 0) + 1\n"
SPIN = "def on_tick(ctx):\n    while ctx.seconds_since_open > 1:\n        pass\n"
ON_START = "def on_start(ctx):\n    ctx.log('started')\n"
ON_FILL = """times = ["09:30:01"]


def at(ctx, time):
    ctx.open([sell("put", points_otm=5), buy("put", offset=-25, leg=0)])


def on_fill(ctx, fill):
    ctx.log("filled")
"""
LATER = {"times": ["12:00"]}


@pytest.fixture
def strict_runner() -> Iterator[Runner]:
    """Its programs have a twentieth of a second a call."""
    with Sandbox(limits=Limits(call_seconds=0.05)) as sandbox:
        yield Runner(registrar=Registrar(sandbox), stop_requested=lambda: False, capacity=100)


@pytest.fixture
def start(alice, make_bot, open_market):
    def started(program: str) -> BotSession:
        # A session is ended by no error, so that the program is called again and again.
        bot = make_bot(program)
        bot.policy = {**bot.policy, "auto_pause_on_error": False}
        bot.save()
        return services.start_session(user=alice, bot_id=bot.pk)

    return started


def hosted_after(driver: Runner, last_seq: int) -> HostedSession:
    """The only session, after the ticks up to `last_seq`."""
    if last_seq > 1:
        market.publish([market.tick(seq) for seq in range(2, last_seq + 1)])
    drive(driver)
    (hosted,) = driver._hosted.values()
    return hosted


@pytest.mark.parametrize(
    ("program", "last_seq", "lane"),
    [
        (put_spread(LATER), 3, Lane.QUIET),
        (put_spread({"times": ["09:30:05"]}), 3, Lane.QUIET),  # 3 s away
        (put_spread({"times": ["09:30:05"]}), 4, Lane.CALLED),
        (put_spread({"times": ["09:30:05"]}), 6, Lane.QUIET),  # asked and answered
        (COUNTER, 3, Lane.CALLED),
        (ON_START, 1, Lane.CALLED),
        (ON_START, 3, Lane.QUIET),
        (ON_FILL, 3, Lane.CALLED),  # its order may fill
        (SPIN, 3, Lane.SLOW),
    ],
)
def test_a_sessions_lane_is_what_the_coming_tick_may_ask_of_its_program(
    start, strict_runner, program, last_seq, lane
):
    start(program)

    hosted = hosted_after(strict_runner, last_seq)

    assert lane_of(hosted) is lane


def test_quiet_sessions_are_committed_before_the_others(start, strict_runner, monkeypatch):
    called, quiet, slow = start(COUNTER), start(put_spread(LATER)), start(SPIN)
    market.publish([market.tick(seq) for seq in (2, 3)])
    drive(strict_runner)
    market.publish([market.tick(4)])
    order = []
    real = runner.commit
    monkeypatch.setattr(
        runner, "commit", lambda moved, **named: order.extend(moved) or real(moved, **named)
    )

    drive(strict_runner)

    ids = [hosted.row.pk for hosted in order]
    assert [ids.index(session.pk) for session in (quiet, called, slow)] == [0, 1, 2]


def test_a_turn_ends_when_programs_have_used_it_up_and_nobody_is_left_out(
    start, strict_runner, monkeypatch
):
    monkeypatch.setattr(lanes, "TURN_SECONDS", 0.0)
    quiet = start(put_spread(LATER))
    others = [start(f"{COUNTER}# {number}\n") for number in range(3)]
    drive(strict_runner)
    market.publish([market.tick(seq) for seq in range(2, 7)])

    strict_runner.turn()
    after_one_turn = BotSession.objects.in_bulk()
    drive(strict_runner)

    assert after_one_turn[quiet.pk].last_tick_seq == 6
    assert sum(after_one_turn[other.pk].last_tick_seq for other in others) < 3 * 6
    assert set(BotSession.objects.values_list("last_tick_seq", flat=True)) == {6}


@pytest.fixture
def commits_take(monkeypatch):
    """Sets how many seconds the runner believes each commit of a lane to take."""
    now = time.monotonic()
    seconds: dict[Lane, float] = {}
    real = runner.commit

    def slowly(moved, **named):
        nonlocal now
        now += seconds.get(lane_of(moved[0]), 0.0)
        return real(moved, **named)

    monkeypatch.setattr(runner, "commit", slowly)
    clock = SimpleNamespace(monotonic=lambda: now, sleep=time.sleep)
    monkeypatch.setattr(runner, "time", clock)
    return seconds.update


def test_programs_have_time_of_their_own_however_long_the_quiet_sessions_took(
    start, strict_runner, commits_take
):
    start(put_spread(LATER))
    others = [start(f"{COUNTER}# {number}\n") for number in range(3)]
    drive(strict_runner)
    commits_take({Lane.QUIET: 2 * lanes.TURN_SECONDS})
    market.publish([market.tick(seq) for seq in range(2, 7)])

    strict_runner.turn()

    seqs = BotSession.objects.in_bulk([other.pk for other in others])
    assert [session.last_tick_seq for session in seqs.values()] == [6, 6, 6]


def test_a_slow_program_is_served_although_quicker_ones_use_up_every_turn(
    start, strict_runner, commits_take
):
    """A machine so busy that they never catch up: the clock of the slow one must not stop."""
    start(COUNTER)
    slow = start(SPIN)
    market.publish([market.tick(2), market.tick(3)])
    drive(strict_runner)
    commits_take({Lane.CALLED: 2 * lanes.TURN_SECONDS})

    for turn in range(1, 4):
        market.publish([market.tick(3 + turn)])
        strict_runner.turn()
        slow.refresh_from_db()
        assert slow.last_tick_seq == 3 + turn


def test_what_was_pinned_runs_on_after_its_link_is_gone(alice, make_bot, open_market, runner):
    bot = make_bot(put_spread())
    bot.strategy_link.delete()

    session = services.start_session(user=alice, bot_id=bot.pk)
    market.publish([market.tick(seq) for seq in range(2, 30)])
    drive(runner())

    session.refresh_from_db()
    assert session.strategy_id == bot.strategy_id
    assert session.orders.get().status == "filled"
