import time
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from common import wakeups as publishing
from marketdata import ticklog, wakeups
from marketdata.models import MarketDay, Tick
from tests.marketdata.factories import A_DAY, OPEN_AT, WALL, as_tuple, make_day, make_tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def market_day():
    ticklog.drop_partition(A_DAY)  # no flush of a transactional test empties the log
    ticklog.create_partition(A_DAY)
    return make_day()


@pytest.mark.usefixtures("market_day")
def test_appended_ticks_are_read_back_in_order():
    ticks = [make_tick(seq) for seq in (1, 2, 3)]

    ticklog.append(A_DAY, ticks, WALL)

    assert [as_tuple(tick) for tick in ticklog.read(A_DAY, 0, 10)] == [as_tuple(t) for t in ticks]
    assert [tick.seq for tick in ticklog.read(A_DAY, 1, 1)] == [2]
    assert ticklog.read(A_DAY, 3, 10) == []


def test_an_append_moves_the_day_with_the_ticks(market_day):
    ticklog.append(A_DAY, [make_tick(1), make_tick(2)], WALL)
    ticklog.append(A_DAY, [make_tick(3)], WALL + timedelta(seconds=9))

    market_day.refresh_from_db()
    assert (market_day.last_seq, market_day.status) == (3, MarketDay.Status.OPEN)
    assert market_day.last_tick_at == OPEN_AT + timedelta(seconds=2)
    assert market_day.opened_at == WALL


@pytest.mark.parametrize("seqs", [[2], [1, 3], [2, 1], [1, 1]])
def test_ticks_that_do_not_follow_the_log_are_refused_whole(market_day, seqs):
    with pytest.raises(ticklog.LogConflict):
        ticklog.append(A_DAY, [make_tick(seq) for seq in seqs], WALL)

    market_day.refresh_from_db()
    assert (market_day.last_seq, ticklog.read(A_DAY, 0, 10)) == (0, [])


@pytest.mark.usefixtures("market_day")
def test_a_second_writer_of_the_same_tick_is_refused():
    ticklog.append(A_DAY, [make_tick(1)], WALL)

    with pytest.raises(ticklog.LogConflict):
        ticklog.append(A_DAY, [make_tick(1)], WALL)


@pytest.mark.usefixtures("market_day")
def test_the_database_itself_refuses_a_sequence_number_twice():
    ticklog.append(A_DAY, [make_tick(1)], WALL)
    MarketDay.objects.update(last_seq=0)

    with pytest.raises(IntegrityError), transaction.atomic():
        ticklog.append(A_DAY, [make_tick(1)], WALL)


@pytest.mark.usefixtures("market_day")
def test_the_last_tick_is_the_newest():
    assert ticklog.last_tick(A_DAY) is None

    ticklog.append(A_DAY, [make_tick(1), make_tick(2)], WALL)

    last = ticklog.last_tick(A_DAY)
    assert last is not None
    assert last.seq == 2


@pytest.mark.usefixtures("market_day")
def test_the_index_values_stand_beside_the_payload():
    ticklog.append(A_DAY, [make_tick(1, vix_hundredths=None)], WALL)

    row = Tick.objects.get(trading_date=A_DAY, seq=1)

    assert (row.spot_cents, row.vix_hundredths, row.expected_move_cents) == (595025, None, 2150)


@pytest.mark.usefixtures("market_day")
def test_dropping_a_day_drops_its_ticks_and_creating_it_again_is_harmless():
    ticklog.append(A_DAY, [make_tick(1)], WALL)

    ticklog.create_partition(A_DAY)
    ticklog.drop_partition(A_DAY)
    ticklog.drop_partition(A_DAY)

    assert not ticklog.has_partition(A_DAY)
    assert ticklog.read(A_DAY, 0, 1) == []


def test_appending_nothing_does_nothing():
    ticklog.append(A_DAY, [], WALL)

    assert not MarketDay.objects.exists()


@pytest.mark.usefixtures("market_day")
def test_a_committed_append_wakes_the_readers(django_capture_on_commit_callbacks):
    subscriber = redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe(wakeups.TICKS_CHANNEL)
    subscriber.get_message(timeout=2)

    with django_capture_on_commit_callbacks(execute=True):
        ticklog.append(A_DAY, [make_tick(1)], WALL)

    message = subscriber.get_message(timeout=2)
    subscriber.close()
    assert message["data"] == b"2026-05-07 1"


@pytest.mark.usefixtures("market_day")
def test_a_dead_redis_loses_no_tick(monkeypatch, django_capture_on_commit_callbacks):
    dead = publishing.Publisher("redis://127.0.0.1:1/0")
    monkeypatch.setattr(publishing, "_of_this_process", dead)
    started = time.monotonic()

    with django_capture_on_commit_callbacks(execute=True):
        ticklog.append(A_DAY, [make_tick(1)], WALL)
        ticklog.append(A_DAY, [make_tick(2)], WALL)

    assert [tick.seq for tick in ticklog.read(A_DAY, 0, 10)] == [1, 2]
    assert time.monotonic() - started < 0.8  # nor does it hold the market up


def test_a_day_is_one_partition_of_the_log():
    ticklog.create_partition(A_DAY)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s",
            ["marketdata_tick_20260507"],
        )
        (bound,) = cursor.fetchone()

    assert bound == "FOR VALUES FROM ('2026-05-07') TO ('2026-05-08')"
