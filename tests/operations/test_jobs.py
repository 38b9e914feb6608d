"""Scheduled jobs: every run is written down, and every job may run twice at the same moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models import Count
from django.utils import timezone
from knox.models import AuthToken

from accounts import tasks as account_tasks
from bots import tasks as bot_tasks
from common import jobs
from common import tasks as common_tasks
from common.models import IdempotencyKey, Job, JobRun
from marketdata import ticklog
from sessions import hints
from sessions import tasks as session_tasks
from sessions.models import BotSession, DayRollUp, FinancialChunk
from tests.dashboard.conftest import make_order, write_line
from tests.factories import BotFactory, BotSessionFactory, UserFactory
from tests.parallel import together
from tests.sessions import market

pytestmark = pytest.mark.django_db


@jobs.job
def count_to_three() -> str:
    return "counted 3"


@jobs.job
def stumble() -> None:
    raise ValueError("a stone")


@jobs.job
def break_the_connection() -> None:
    connection.close()
    raise DatabaseError("gone")


@pytest.fixture
def no_broker(monkeypatch) -> None:
    monkeypatch.setattr(hints.current_app, "send_task", lambda name, **options: None)


def test_a_run_is_written_down_with_what_it_did():
    count_to_three()
    count_to_three()

    run = JobRun.objects.latest("pk")
    job = Job.objects.get()
    assert (run.outcome, run.did, run.error) == ("done", "counted 3", "")
    assert run.took_ms is not None
    assert run.process
    assert (job.name, job.run_count, job.failure_count) == (run.name, 2, 0)
    assert job.last_success_at >= run.started_at


def test_a_failure_is_written_down_and_goes_on_to_the_worker():
    count_to_three()

    with pytest.raises(ValueError, match="a stone"):
        stumble()

    run = JobRun.objects.latest("pk")
    job = Job.objects.get(pk=run.name)
    assert (run.outcome, run.error) == ("failed", "ValueError: a stone")
    assert (job.failure_count, job.last_error, job.last_success_at) == (
        1,
        "ValueError: a stone",
        None,
    )


@pytest.mark.django_db(transaction=True)
def test_a_job_that_loses_the_database_still_says_so(caplog):
    with pytest.raises(DatabaseError, match="gone"):
        break_the_connection()

    assert JobRun.objects.get().outcome in ("failed", "running")


def test_the_run_after_a_failure_clears_the_error():
    name = f"{__name__}.count_to_three"
    Job.objects.create(name=name, last_error="ValueError", failure_count=1)

    count_to_three()

    assert Job.objects.get(pk=name).last_error == ""


def test_old_runs_are_forgotten_and_the_jobs_stay():
    now = timezone.now()
    for hours in (1, 23, 25):
        JobRun.objects.create(
            name="x", started_at=now - timedelta(hours=hours), outcome="done", process="h:1"
        )
    Job.objects.create(name="x")

    forgotten = jobs.delete_old_runs(kept_hours=24, now=now)

    assert (forgotten, JobRun.objects.count(), Job.objects.count()) == (1, 2, 1)


def test_every_scheduled_job_keeps_its_books():
    current_app.loader.import_default_modules()

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        run = current_app.tasks[entry["task"]].run
        assert run.__wrapped__, entry["task"]  # jobs.job wraps it


@pytest.mark.django_db(transaction=True)
def test_every_job_twice_at_once_ends_well(no_broker):
    """What each of them must not do twice is tested where it is made."""
    current_app.loader.import_default_modules()
    market.announce()
    market.publish([market.tick(1)])
    BotSessionFactory(trading_date=market.DAY)
    tasks = [current_app.tasks[job["task"]] for job in settings.CELERY_BEAT_SCHEDULE.values()]

    for task in tasks:
        together([task] * 2)

    runs = JobRun.objects.values_list("name", "outcome").annotate(count=Count("pk"))
    assert set(runs) == {(task.name, "done", 2) for task in tasks}


@pytest.mark.django_db(transaction=True)
def test_the_scheduler_twice_at_once_makes_each_session_once(no_broker):
    market.announce()
    bots = [BotFactory(auto_start=True, auto_start_since=market.from_open(-3600)) for _ in range(4)]

    together([bot_tasks.schedule_day] * 4)

    assert BotSession.objects.filter(status="scheduled").count() == len(bots)
    assert JobRun.objects.filter(outcome="done").count() == 4


@pytest.mark.django_db(transaction=True)
def test_the_watcher_twice_at_once_is_harmless(no_broker):
    market.announce()
    session = BotSessionFactory(trading_date=market.DAY, settled=True)
    market.MarketDay.objects.update(tape_digest="d" * 64)

    together([session_tasks.watch] * 4)

    session.refresh_from_db()
    assert session.tape_digest == "d" * 64
    assert set(JobRun.objects.values_list("outcome", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_the_roll_up_twice_at_once_is_one_row():
    market.announce()
    market.close()
    for total_pl_cents in (1_200, -500, 0):
        BotSessionFactory(trading_date=market.DAY, settled=True, total_pl_cents=total_pl_cents)
    BotSessionFactory(trading_date=market.DAY, settled=True, status="halted", takeovers=2)

    together([session_tasks.roll_up_days] * 4)

    row = DayRollUp.objects.get()
    assert (row.session_count, row.completed_count, row.halted_count) == (4, 3, 1)
    assert (row.win_count, row.loss_count, row.total_pl_cents) == (1, 1, 700)
    assert row.takeover_count == 2


def test_a_day_with_an_unsettled_session_is_not_rolled_up():
    market.announce()
    market.close()
    BotSessionFactory(trading_date=market.DAY, status="settling")

    session_tasks.roll_up_days()

    assert not DayRollUp.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_keeping_the_tick_log_twice_at_once_makes_each_day_once():
    market.announce()
    ticklog.drop_partition(market.DAY.replace(day=8))

    together([session_tasks.keep_tick_log] * 4)

    assert ticklog.has_partition(market.DAY)
    assert ticklog.has_partition(market.DAY.replace(day=8))
    assert set(JobRun.objects.values_list("outcome", flat=True)) == {"done"}
    ticklog.drop_partition(market.DAY.replace(day=8))


@pytest.mark.django_db(transaction=True)
def test_trimming_twice_at_once_shares_the_work(settings):
    settings.DETAIL_DAYS = 30
    old = [BotSessionFactory(settled=True) for _ in range(5)]
    for session in old:
        write_line(session, 0, 1_000)
        make_order(session)

    together([session_tasks.trim] * 3)

    assert not FinancialChunk.objects.exists()
    assert BotSession.objects.filter(trimmed_at__isnull=False).count() == 5
    assert all(session.orders.count() == 1 for session in old)


@pytest.mark.django_db(transaction=True)
def test_cleaning_up_twice_at_once_forgets_what_is_old_and_nothing_else():
    now = timezone.now()
    user = UserFactory()
    for hours in (1, 25):
        IdempotencyKey.objects.create(
            user=user, key=f"k{hours}", fingerprint="f", created_at=now - timedelta(hours=hours)
        )
        Session.objects.create(
            session_key=f"s{hours}", expire_date=now + timedelta(hours=20 - hours)
        )
    expired, _ = AuthToken.objects.create(user)
    fresh, _ = AuthToken.objects.create(user)
    AuthToken.objects.filter(pk=expired.pk).update(expiry=now - timedelta(days=1))

    together([common_tasks.clean_up, account_tasks.clean_up] * 2)

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["k1"]
    assert list(AuthToken.objects.values_list("pk", flat=True)) == [fresh.pk]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["s1"]
    assert set(JobRun.objects.values_list("outcome", flat=True)) == {"done"}
