"""The operator's hand on the market process: pause, step, speed, loop."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command

from marketdata import queries, services, ticklog
from marketdata.dayrun import Pace
from marketdata.feeds.rebuild import CannotRebuild, feed_of
from marketdata.feeds.replay import RedatedFeed
from marketdata.management.commands.market import Command
from marketdata.market import MarketProcess
from marketdata.models import MarketDay
from marketdata.tape import load_tape
from tests.marketdata.factories import A_DAY, OPEN_AT, OPEN_MS, make_day, make_tick
from tests.marketdata.fakes import FakeWall, tape_plan

pytestmark = pytest.mark.django_db


def process(plan, wall, tmp_path, speed=30.0):
    pace = Pace(speed=speed, lead_seconds=1.0, pause_seconds=1.0)
    return MarketProcess(plan=plan, pace=pace, wall=wall, tape_dir=tmp_path / "tapes")


def ticks(count):
    return [make_tick(seq) for seq in range(1, count + 1)]


def market(*arguments):
    call_command("market", *map(str, arguments))


class Script:
    """Says something to the market at given waits of its wall, and notes what it then sees."""

    def __init__(self, *lines, end=60):
        self.lines, self.end, self.turn = dict(lines), end, 0
        self.seen = []

    def __call__(self):
        self.turn += 1
        now = queries.market_now()
        self.seen.append((now.at, now.day.last_seq, now.speed))
        if self.turn in self.lines:
            market(*self.lines[self.turn])
        return self.turn >= self.end


def test_a_paused_market_stands_still_alive_and_goes_on_where_it_stood(tmp_path):
    script = Script((20, ("pause",)), (40, ("resume",)))

    process(tape_plan(tmp_path, ticks(2_000)), FakeWall(script), tmp_path).run()

    paused = script.seen[21:40]
    assert len({(at, seq) for at, seq, _ in paused}) == 1
    assert {speed for _, _, speed in paused} == {0.0}
    at, seq, _ = paused[0]
    after = script.seen[41]
    assert after[1] > seq > 10
    assert after[0] - at < timedelta(seconds=30)
    assert queries.market_now().is_healthy


def test_a_step_publishes_exactly_the_ticks_asked_for(tmp_path):
    script = Script((20, ("pause",)), (25, ("step", 3)), (30, ("step",)), end=35)

    process(tape_plan(tmp_path, ticks(2_000)), FakeWall(script), tmp_path).run()

    before = script.seen[24][1]
    assert [seq - before for _, seq, _ in script.seen[24:]] == [0] * 1 + [3] * 5 + [4] * 5
    assert script.seen[-1][0] == queries.day(A_DAY).last_tick_at
    assert queries.control().steps_left == 0


def test_a_step_before_the_open_is_the_opening_tick(tmp_path):
    script = Script((2, ("step", 1)), end=6)
    services.steer(is_paused=True)

    process(tape_plan(tmp_path, ticks(10)), FakeWall(script), tmp_path).run()

    assert script.seen[1][:2] == (OPEN_AT - timedelta(seconds=30), 0)
    assert script.seen[-1][:2] == (OPEN_AT, 1)


def test_steps_beyond_the_last_tick_are_forgotten_and_the_close_waits_for_the_resume(tmp_path):
    services.steer(is_paused=True, steps_left=50)
    script = Script((20, ("resume",)), end=120)

    process(tape_plan(tmp_path, ticks(10)), FakeWall(script), tmp_path).run()

    assert script.seen[19][1] == 10
    assert queries.control().steps_left == 0
    assert queries.day(A_DAY).status == "closed"


def test_the_speed_changes_live_and_back(tmp_path):
    script = Script((20, ("speed", 100)), (40, ("speed", "default")), end=60)
    wall = FakeWall(script)

    process(tape_plan(tmp_path, ticks(5_000)), wall, tmp_path, speed=10.0).run()

    slow = script.seen[15][1] - script.seen[10][1]
    fast = script.seen[35][1] - script.seen[30][1]
    again = script.seen[55][1] - script.seen[50][1]
    assert fast == pytest.approx(10 * slow, rel=0.3)
    assert again == pytest.approx(slow, abs=2)
    assert {script.seen[35][2], script.seen[55][2]} == {100.0, 10.0}


def test_what_the_operator_asked_for_outlives_the_process(tmp_path, caplog):
    market("pause")
    plan = tape_plan(tmp_path, ticks(100))

    process(plan, FakeWall(limit=10), tmp_path).run()

    assert queries.day(A_DAY).last_seq == 0
    assert "the operator's wish still holds: paused" in caplog.text


def test_a_looped_tape_begins_again_on_the_next_date_that_is_as_long(tmp_path):
    services.steer(is_looping=True)
    make_day(trading_date=date(2026, 11, 25), status="closed", source="other")
    wall = FakeWall(
        lambda: MarketDay.objects.filter(status="closed", source__startswith="tape:").count() == 3
    )

    process(tape_plan(tmp_path, ticks(20), settlement_cents=595187), wall, tmp_path).run()

    days = MarketDay.objects.filter(status="closed", source__startswith="tape:")
    dates = [day.pk for day in days.order_by("pk")]
    assert dates == [A_DAY, date(2026, 11, 30), date(2026, 12, 1)]  # the 27th is a half day
    assert {day.settlement_cents for day in days} == {595187}
    again = ticklog.read(dates[1], 0, 100)
    assert [tick.spot_cents for tick in again] == [tick.spot_cents for tick in ticks(20)]
    assert again[0].at_ms == OPEN_MS + (dates[1] - A_DAY).days * 86_400_000 + 3_600_000  # winter


def test_each_repetition_is_packed_to_a_tape_of_its_own_date(tmp_path):
    services.steer(is_looping=True)
    again = MarketDay.objects.exclude(pk=A_DAY).exclude(tape_digest="")

    process(tape_plan(tmp_path, ticks(20), 595187), FakeWall(again.exists), tmp_path).run()

    day = again.first()
    tape = load_tape(day.tape_path)
    assert (tape.trading_date, tape.digest) == (day.pk, day.tape_digest)


def test_a_repetition_is_gone_on_with_after_a_stop(tmp_path):
    services.steer(is_looping=True)
    plan = tape_plan(tmp_path, ticks(300))
    second = MarketDay.objects.exclude(pk=A_DAY)
    process(plan, FakeWall(second.filter(last_seq__gt=50).exists), tmp_path).run()

    services.steer(is_looping=False)
    process(plan, FakeWall(second.filter(status="closed").exists), tmp_path).run()

    day = second.get()
    assert (day.last_seq, day.settlement_source) == (300, "last_spot")


def test_loop_on_wakes_a_market_whose_tape_has_run(tmp_path):
    plan = tape_plan(tmp_path, ticks(5))
    closed = MarketDay.objects.filter(status="closed")
    process(plan, FakeWall(closed.exists), tmp_path).run()

    script = Script((5, ("loop", "on")), end=15)
    process(plan, FakeWall(script), tmp_path).run()

    assert MarketDay.objects.exclude(pk=A_DAY).exists()


def test_a_repetition_whose_tape_is_gone_cannot_be_made_again(tmp_path):
    plan = tape_plan(tmp_path, ticks(5))
    feed = RedatedFeed.after(plan.feed, A_DAY)
    day = services.announce_day(feed=feed, now=OPEN_AT)
    assert feed_of(day).trading_date == feed.trading_date

    plan.feed.path.unlink()

    with pytest.raises(CannotRebuild):
        feed_of(day)


def test_a_date_of_other_hours_is_no_repetition(tmp_path):
    feed = tape_plan(tmp_path, ticks(5)).feed

    with pytest.raises(ValueError, match="2026-11-27 has other hours"):
        RedatedFeed(feed.tape, feed.path, date(2026, 11, 27))


@pytest.mark.parametrize(
    "arguments", [("step", "0"), ("step", "x"), ("speed", "0"), ("speed", "nan"), ("loop", "maybe")]
)
def test_nonsense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "market", *arguments])

    assert ended.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_status_says_what_was_asked_and_that_nobody_is_there(capsys):
    market("speed", "45")
    market("status")

    said = capsys.readouterr().out
    assert "running, speed 45, not looping; closed at 2" in said
    assert "but the market process gives no sign of life" in said
