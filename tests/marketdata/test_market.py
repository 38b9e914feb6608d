from datetime import date, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from common.times import to_ms
from marketdata import queries, recorder, services, ticklog
from marketdata.dayrun import Pace
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.lock import KEY, AnotherMarket, market_lock
from marketdata.market import MarketProcess
from marketdata.models import MarketClock, MarketDay
from marketdata.plans import SyntheticPlan, TapePlan
from marketdata.tape import load_tape
from tests.flows.api import wait_until
from tests.marketdata.factories import (
    A_DAY,
    CLOSE_AT,
    OPEN_AT,
    OPEN_MS,
    WALL,
    as_tuple,
    make_day,
    make_tick,
)
from tests.marketdata.fakes import FakeWall, tape_plan

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


def process(plan, wall, tmp_path, speed=30.0):
    return MarketProcess(
        plan=plan,
        pace=Pace(speed=speed, lead_seconds=5.0, pause_seconds=5.0),
        wall=wall,
        tape_dir=tmp_path / "tapes",
    )


def is_closed():
    return MarketDay.objects.filter(status="closed").exists()


def last_seq_is(seq):
    return lambda: MarketDay.objects.filter(last_seq__gte=seq).exists()


def test_a_tape_runs_to_its_close_and_settles(tmp_path):
    ticks = [make_tick(seq) for seq in (1, 2, 3)]
    plan = tape_plan(tmp_path, ticks, settlement_cents=595187)

    process(plan, FakeWall(is_closed), tmp_path).run()

    day = MarketDay.objects.get()
    assert (day.status, day.last_seq, day.source) == ("closed", 3, plan.feed.source)
    assert (day.settlement_cents, day.settlement_source) == (595187, "official")
    assert (day.tape_digest, day.tape_path) == (plan.feed.tape.digest, str(plan.feed.path))
    assert [as_tuple(t) for t in ticklog.read(A_DAY, 0, 10)] == [as_tuple(t) for t in ticks]
    now = queries.market_now()
    assert (now.at, now.phase, now.is_healthy, now.speed) == (CLOSE_AT, "closed", True, 30.0)


def test_a_tape_without_a_settlement_settles_at_its_last_spot_and_says_so(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(1), make_tick(2, spot_cents=595333)])

    process(plan, FakeWall(is_closed), tmp_path).run()

    assert queries.settlement(A_DAY) == (595333, "last_spot")


def test_a_day_is_announced_some_seconds_before_its_open(tmp_path):
    seen = []

    def look():
        now = queries.market_now()
        seen.append((now.phase, now.day.status, now.at))
        return now.phase == "open"

    process(tape_plan(tmp_path, [make_tick(1)]), FakeWall(look), tmp_path).run()

    phase, status, at = seen[0]
    assert (phase, status) == ("pre_open", "pre_open")
    assert at == OPEN_AT - timedelta(seconds=5 * 30)
    assert seen[-1][:2] == ("open", "open")


def test_ticks_come_at_the_speed_of_the_market(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(seq) for seq in range(1, 3_001)])
    wall = FakeWall(last_seq_is(1_500))

    process(plan, wall, tmp_path).run()

    opened_after = 5.0
    market_seconds = MarketDay.objects.get().last_seq - 1
    assert wall.seconds - 1_000.0 == pytest.approx(opened_after + market_seconds / 30, abs=0.5)


def test_at_speed_one_a_tick_comes_every_second(tmp_path):
    seen = []
    wall = FakeWall(lambda: seen.append(queries.market_now().day.last_seq) or len(seen) > 40)

    process(tape_plan(tmp_path, [make_tick(n) for n in range(1, 60)]), wall, tmp_path, 1.0).run()

    assert sorted(set(seen)) == list(range(seen[0], seen[-1] + 1))
    assert max(wall.waits) <= 0.5  # a heartbeat at least twice a second


@pytest.mark.parametrize("work_seconds", [0.0, 0.004, 0.03])
def test_at_speed_one_every_tick_is_as_punctual_as_the_one_before(tmp_path, work_seconds):
    """However long the market's own work takes, lateness does not grow from tick to tick."""
    published_at: dict[int, float] = {}

    def look():
        published_at.setdefault(queries.market_now().day.last_seq, wall.seconds)
        return len(published_at) > 40

    wall = FakeWall(look, work_seconds=work_seconds)
    process(tape_plan(tmp_path, [make_tick(n) for n in range(1, 60)]), wall, tmp_path, 1.0).run()

    first_at = published_at[1]
    late = [at - first_at - (seq - 1) for seq, at in published_at.items() if seq >= 1]
    assert max(late) - min(late) <= 2 * work_seconds + 0.002


def test_a_quick_market_publishes_no_more_than_five_batches_a_second(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(seq) for seq in range(1, 3_001)])
    seen = []
    wall = FakeWall(lambda: seen.append(queries.market_now().day.last_seq) or seen[-1] >= 1_500)

    process(plan, wall, tmp_path).run()

    batches = len({seq for seq in seen if seq})
    assert batches == pytest.approx((wall.seconds - 1_005.0) / 0.2, abs=2)


def test_no_tick_is_published_before_its_time(tmp_path):
    def look():
        now = queries.market_now()
        assert now.last_tick_at is None or now.last_tick_at <= now.at
        return now.day.last_seq >= 40

    plan = tape_plan(tmp_path, [make_tick(n) for n in range(1, 60)])

    process(plan, FakeWall(look), tmp_path).run()


def test_a_hole_and_the_way_to_the_close_take_about_a_second_each(tmp_path):
    ticks = [make_tick(1), make_tick(2, at_ms=OPEN_MS + 3 * 3_600_000)]
    wall = FakeWall(is_closed)

    process(tape_plan(tmp_path, ticks), wall, tmp_path, speed=1.0).run()

    assert MarketDay.objects.get().last_seq == 2
    assert wall.seconds - 1_000.0 < 5.0 + 2 * 1.0 + 2.0


def test_a_market_that_cannot_keep_up_slips_instead_of_losing_ticks(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(seq) for seq in range(1, 2_001)])

    process(plan, FakeWall(is_closed), tmp_path, speed=50_000.0).run()

    assert MarketDay.objects.get().last_seq == 2_000


def test_a_stopped_day_is_resumed_at_the_next_tick(tmp_path):
    ticks = [make_tick(seq) for seq in range(1, 400)]
    plan = tape_plan(tmp_path, ticks)
    process(plan, FakeWall(last_seq_is(100)), tmp_path).run()
    stopped_at = MarketDay.objects.get()

    wall = FakeWall(is_closed)
    process(plan, wall, tmp_path).run()

    assert stopped_at.status == "open"
    assert 100 <= stopped_at.last_seq < 399
    assert [as_tuple(t) for t in ticklog.read(A_DAY, 0, 1_000)] == [as_tuple(t) for t in ticks]


def test_a_refused_tick_is_not_published_again_after_a_resume(tmp_path):
    ticks = [make_tick(1), make_tick(2, spot_cents=-1)] + [make_tick(n) for n in range(3, 400)]
    plan = tape_plan(tmp_path, ticks)
    process(plan, FakeWall(last_seq_is(100)), tmp_path).run()

    process(plan, FakeWall(is_closed), tmp_path).run()

    log = ticklog.read(A_DAY, 0, 1_000)
    assert [t.seq for t in log] == list(range(1, 399))
    assert [t.at_ms for t in log] == [t.at_ms for t in ticks if t.spot_cents > 0]


def test_a_tape_that_already_ran_leaves_the_market_closed_and_alive(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(1)])
    process(plan, FakeWall(is_closed), tmp_path).run()
    MarketClock.objects.update(heartbeat_at=WALL - timedelta(days=1))

    process(plan, FakeWall(limit=5), tmp_path).run()

    now = queries.market_now()
    assert (now.phase, now.is_healthy, now.day.last_seq) == ("closed", True, 1)


def test_after_a_tape_the_clock_rests_at_its_close_though_later_days_were_run(tmp_path):
    later = A_DAY + timedelta(days=1)
    make_day(trading_date=later, status="closed", closed_at=WALL, source="synthetic:42")

    process(tape_plan(tmp_path, [make_tick(1)]), FakeWall(limit=200), tmp_path).run()

    now = queries.market_now()
    assert (now.trading_date, now.at) == (A_DAY, CLOSE_AT)


def test_a_market_stopped_on_its_way_to_the_first_tick_does_not_go_back_before_the_open(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(1, at_ms=OPEN_MS + 3 * 3_600_000)])
    services.announce_day(feed=plan.feed, now=WALL)
    noon = OPEN_AT + timedelta(hours=1)
    services.keep_time(day=queries.day(A_DAY), market_at=noon, speed=30.0)
    times = []
    wall = FakeWall(lambda: times.append(queries.market_now().at) or is_closed())

    process(plan, wall, tmp_path).run()

    assert min(times) >= noon
    assert queries.day(A_DAY).last_seq == 1


def test_a_date_another_source_recorded_is_not_run_again(tmp_path, caplog):
    make_day(source="synthetic:42", status="closed", settlement_cents=1, last_seq=0)

    process(tape_plan(tmp_path, [make_tick(1)]), FakeWall(limit=5), tmp_path).run()

    assert "already recorded (synthetic:42)" in caplog.text
    assert MarketDay.objects.get().source == "synthetic:42"


def test_synthetic_days_follow_each_other_on_the_calendar(tmp_path, monkeypatch):
    shorten(monkeypatch)
    plan = SyntheticPlan(seed=42, start_date=date(2026, 11, 25))
    wall = FakeWall(lambda: MarketDay.objects.filter(status="closed").count() == 3)

    process(plan, wall, tmp_path).run()

    days = list(MarketDay.objects.filter(status="closed").order_by("trading_date"))
    assert [day.trading_date.day for day in days] == [25, 27, 30]
    for day, following in pairwise(days):
        assert following.source_options["previous_close_cents"] == day.settlement_cents
        assert following.source_options["previous_vix_hundredths"] != 1650
    assert {day.source for day in days} == {"synthetic:42"}


def shorten(monkeypatch, ticks_a_day=30):
    """The first ticks of each synthetic day only; the rest is a hole."""
    whole = SyntheticFeed.ticks
    monkeypatch.setattr(
        SyntheticFeed,
        "ticks",
        lambda self, after_seq: (t for t in whole(self, after_seq) if t.seq <= ticks_a_day),
    )


def test_a_finished_synthetic_day_is_packed_to_a_tape_that_replays_it(tmp_path, monkeypatch):
    shorten(monkeypatch)
    wall = FakeWall(lambda: MarketDay.objects.exclude(tape_digest="").exists())

    process(SyntheticPlan(seed=42, start_date=MONDAY), wall, tmp_path).run()

    day = MarketDay.objects.order_by("trading_date").first()
    tape = load_tape(day.tape_path)
    log = ticklog.read(MONDAY, 0, 100)
    assert (tape.digest, tape.source) == (day.tape_digest, "synthetic:42")
    assert tape.settlement == (day.settlement_cents, "official")
    assert [as_tuple(tick) for tick in tape.ticks] == [as_tuple(tick) for tick in log]


def test_an_interrupted_packing_is_made_good_at_the_next_start(tmp_path, monkeypatch):
    shorten(monkeypatch)
    plan = SyntheticPlan(seed=42, start_date=MONDAY)
    process(plan, FakeWall(is_closed), tmp_path).run()
    MarketDay.objects.update(tape_digest="", tape_path="")

    process(plan, FakeWall(limit=1), tmp_path).run()

    assert load_tape(MarketDay.objects.get(pk=MONDAY).tape_path).trading_date == MONDAY


def test_an_unfinished_day_of_another_source_is_settled_by_its_own(tmp_path):
    feed = SyntheticFeed(7, A_DAY)
    day = services.announce_day(feed=feed, now=WALL)
    services.publish(day=day, ticks=[next(feed.ticks(0))], market_ms=OPEN_MS, speed=1.0, now=WALL)

    process(SyntheticPlan(seed=42, start_date=MONDAY), FakeWall(limit=3), tmp_path).run()

    assert queries.settlement(A_DAY) == feed.settlement()
    assert queries.market_now().trading_date == MONDAY


def test_an_unfinished_tape_whose_file_is_gone_settles_at_what_it_promised(tmp_path):
    plan = tape_plan(tmp_path, [make_tick(1), make_tick(2)], settlement_cents=595187)
    services.announce_day(feed=plan.feed, now=WALL)
    plan.feed.path.unlink()

    process(SyntheticPlan(seed=42, start_date=MONDAY), FakeWall(limit=3), tmp_path).run()

    assert queries.settlement(A_DAY) == (595187, "official")


def test_a_day_nobody_can_settle_is_closed_without_a_value(tmp_path):
    make_day(source="lost:1", source_options={"kind": "lost"})

    process(SyntheticPlan(seed=42, start_date=MONDAY), FakeWall(limit=3), tmp_path).run()

    assert queries.settlement(A_DAY) is None
    assert queries.day(A_DAY).status == "closed"


def test_old_days_leave_the_log_and_stay_as_tapes(tmp_path, monkeypatch):
    shorten(monkeypatch)
    plan = SyntheticPlan(seed=42, start_date=MONDAY)
    wall = FakeWall(lambda: MarketDay.objects.filter(status="closed").count() == 4)
    process(plan, wall, tmp_path).run()
    days = MarketDay.objects.filter(status="closed").order_by("trading_date")

    dropped = recorder.drop_old_days(2, besides={days[1].pk})

    assert dropped == [days[0].pk]
    assert [ticklog.has_partition(day.pk) for day in days] == [False, True, True, True]
    assert load_tape(days[0].tape_path).digest == days[0].tape_digest


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-11-23T15:00:00+00:00", date(2026, 11, 23)),
        ("2026-11-24T04:59:00+00:00", date(2026, 11, 23)),  # still Monday in New York
        ("2026-11-22T15:00:00+00:00", date(2026, 11, 23)),  # a Sunday
        ("2026-11-26T15:00:00+00:00", date(2026, 11, 27)),  # Thanksgiving
    ],
)
def test_the_first_synthetic_day_is_today_in_new_york_or_the_next(now, first):
    feed = SyntheticPlan(seed=1, start_date=None).next_feed(datetime.fromisoformat(now))

    assert feed.trading_date == first


def test_later_starts_go_on_after_the_last_day_unless_told_to_jump_ahead():
    make_day(status="closed", settlement_cents=595187)

    follow = SyntheticPlan(seed=1, start_date=None).next_feed(WALL)
    earlier = SyntheticPlan(seed=1, start_date=date(2026, 1, 5)).next_feed(WALL)
    later = SyntheticPlan(seed=1, start_date=date(2026, 7, 3)).next_feed(WALL)

    assert (follow.trading_date, earlier.trading_date) == (date(2026, 5, 8), date(2026, 5, 8))
    assert later.trading_date == date(2026, 7, 6)  # Friday the 3rd is a holiday
    assert follow.previous_close_cents == 595187


def test_after_the_calendars_last_day_the_market_stays_closed():
    make_day(trading_date=date(2035, 12, 31), status="closed", settlement_cents=1)

    assert SyntheticPlan(seed=1, start_date=None).next_feed(WALL) is None


def test_a_raw_tape_file_is_packed_before_it_runs(tmp_path):
    raw = tmp_path / "day.csv"
    raw.write_text(
        "datetime,spot,vix,expected_move,type,strike,bid,ask,delta\n"
        "2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5945,4.10,4.30,0.46\n"
    )

    plan = TapePlan.for_file(raw, tmp_path / "tapes")

    assert plan.feed.path.suffix == ".parquet"
    assert load_tape(plan.feed.path).digest == load_tape(raw).digest


def test_a_lost_database_is_found_again_and_no_tick_is_lost(tmp_path, monkeypatch):
    plan = tape_plan(tmp_path, [make_tick(seq) for seq in range(1, 300)])
    publish, failures = services.publish, iter([False] * 20 + [True] + [False] * 5_000)

    def sometimes_fails(**arguments):
        if next(failures):
            raise OperationalError("the connection is gone")
        publish(**arguments)

    monkeypatch.setattr(services, "publish", sometimes_fails)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction
    wall = FakeWall(is_closed)

    process(plan, wall, tmp_path).run()

    assert [tick.seq for tick in ticklog.read(A_DAY, 0, 1_000)] == list(range(1, 300))


def test_a_closed_day_keeps_its_settlement():
    day = make_day()
    services.close_day(day=day, settlement=(595187, "official"), now=WALL)

    services.close_day(day=day, settlement=(1, "official"), now=WALL)

    assert queries.settlement(A_DAY) == (595187, "official")


@pytest.mark.django_db(transaction=True)
def test_a_second_market_process_is_refused(tmp_path):
    database = settings.DATABASES["default"]
    other = psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
    )
    other.execute("SELECT pg_advisory_lock(%s)", [KEY])
    wall = FakeWall()
    try:
        with pytest.raises(AnotherMarket), market_lock(wall):
            pass
    finally:
        pid = other.info.backend_pid
        other.close()
    wait_until(lambda: not is_there(pid), "the server hears of the end")

    with market_lock(FakeWall()):
        pass


def is_there(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() is not None


@pytest.mark.parametrize(
    ("offset", "phase"),
    [
        (timedelta(seconds=-1), "pre_open"),
        (timedelta(0), "open"),
        (CLOSE_AT - OPEN_AT - timedelta(seconds=1), "open"),
        (CLOSE_AT - OPEN_AT, "closed"),
    ],
)
def test_the_phase_follows_the_exchanges_hours_to_the_second(offset, phase):
    services.keep_time(day=make_day(), market_at=OPEN_AT + offset, speed=1.0)

    assert queries.market_now().phase == phase


@pytest.mark.parametrize(("age_seconds", "is_healthy"), [(0, True), (4, True), (6, False)])
def test_a_feed_is_healthy_while_its_heart_beats(age_seconds, is_healthy):
    services.keep_time(day=make_day(), market_at=OPEN_AT, speed=1.0)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE marketdata_marketclock SET heartbeat_at = statement_timestamp() - %s",
            [timedelta(seconds=age_seconds)],
        )

    assert queries.market_now().is_healthy is is_healthy


def test_reading_the_market_takes_one_query(django_assert_num_queries):
    services.keep_time(day=make_day(), market_at=OPEN_AT, speed=1.0)

    with django_assert_num_queries(1):
        now = queries.market_now()
        assert (now.trading_date, now.last_tick_at) == (A_DAY, None)


def test_the_market_moves_only_forward_within_a_day(tmp_path):
    times = []
    wall = FakeWall(lambda: times.append(to_ms(queries.market_now().at)) or is_closed())

    process(tape_plan(tmp_path, [make_tick(n) for n in (1, 2, 300)]), wall, tmp_path).run()

    assert times == sorted(times)
