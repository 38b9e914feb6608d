"""Running a backtest: what comes of it, and of processes that die, are two at once or late."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise

import orjson
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from backtests import claims, process, queries, runner, services, tasks
from backtests.models import Backtest, BacktestDay, Status
from common.money import usd
from strategies.services import save_strategy
from tests.backtests.conftest import DAYS, NEVER
from tests.parallel import together

pytestmark = pytest.mark.django_db

SLOW = "def on_tick(ctx):\n    for _ in range(60000):\n        pass\n"


def run_all() -> int:
    return runner.run_waiting(NEVER)


def let_the_lease_lapse() -> None:
    Backtest.objects.update(lease_until=Now() - timedelta(seconds=1))


def test_every_day_is_run_with_the_balance_carried(start, recorded):
    backtest = start()

    assert run_all() == 1

    backtest.refresh_from_db()
    days = list(backtest.days.all())
    assert (backtest.status, backtest.reason, backtest.done_count) == (Status.DONE, "", 3)
    assert [day.status for day in days] == ["completed"] * 3
    assert days[0].opening_balance_cents == 2_500_000
    for before, after in pairwise(days):
        assert after.opening_balance_cents == before.final_nlv_cents
    assert [day.total_pl_cents > 0 for day in days] == [True, False, True]
    assert all(day.fees_cents > 0 and len(day.tape_digest) == 64 for day in days)


def test_it_comes_to_what_the_command_simulate_says(start, recorded, link, tape_dir, tmp_path):
    backtest = start()
    program = tmp_path / "program.py"
    program.write_text(link.strategy.program)
    out = tmp_path / "out.json"

    run_all()
    given = ("--tape", tape_dir, "--strategy", program, "--json", out)
    call_command("simulate", *given)

    expected = [day["session"] for day in orjson.loads(out.read_bytes())["days"]]
    found = backtest.days.all()
    assert [(f"{day.trading_date}", usd(day.total_pl_cents)) for day in found] == [
        (session["date"], session["total_pl"]) for session in expected
    ]
    assert [day.order_count for day in found] == [session["order_count"] for session in expected]


def test_the_summary_counts_the_days(start, recorded):
    backtest = start()
    run_all()

    report = queries.report(Backtest.objects.get(pk=backtest.pk))

    results = [day.total_pl_cents for day in report.days]
    assert report.summary.days == 3
    assert report.summary.wins == 2
    assert report.win_rate_bp == 6666
    assert report.summary.total_cents == sum(results)
    assert report.summary.worst.trading_date.isoformat() == DAYS[1]
    assert report.summary.drawdown_cents == -results[1]
    assert report.summary.fees_cents == sum(day.fees_cents for day in report.days)


def test_the_same_run_has_the_same_digest_and_another_has_not(start, recorded):
    digests = []
    for capital_cents in (2_500_000, 2_500_000, 2_600_000):
        backtest = start(capital_cents=capital_cents)
        run_all()
        digests.append(Backtest.objects.get(pk=backtest.pk).digest)

    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64


def test_a_broken_tape_is_named_and_passed_over(start, recorded):
    recorded[1].write_bytes(b"no parquet")
    backtest = start()

    run_all()

    backtest.refresh_from_db()
    first, broken, last = backtest.days.all()
    assert backtest.status == Status.DONE
    assert broken.outcome == BacktestDay.Outcome.UNUSABLE
    assert recorded[1].name in broken.reason
    assert str(recorded[1].parent) not in broken.reason  # where it is kept is nobody's business
    assert last.opening_balance_cents == first.final_nlv_cents


def test_a_process_that_died_half_way_is_followed_by_another(start, recorded):
    backtest = start()
    claimed = claims.claim(now=timezone.now())
    plan = runner._plan_of(claimed)
    runner._run_day(claimed, claims.waiting_days(claimed)[0], plan, 2_500_000, NEVER)
    first = BacktestDay.objects.earliest("trading_date")

    assert run_all() == 0  # it may still be alive
    let_the_lease_lapse()
    assert run_all() == 1

    backtest.refresh_from_db()
    days = list(backtest.days.all())
    assert (backtest.status, backtest.done_count) == (Status.DONE, 3)
    assert (days[0].pk, days[0].final_nlv_cents) == (first.pk, first.final_nlv_cents)
    assert days[1].opening_balance_cents == first.final_nlv_cents


def test_a_process_that_comes_late_writes_nothing(start, recorded):
    backtest = start()
    late = claims.claim(now=timezone.now())
    day = claims.waiting_days(late)[0]
    let_the_lease_lapse()
    run_all()
    digest = Backtest.objects.get(pk=backtest.pk).digest

    for write in (
        lambda: claims.record(late, day, claims.unusable("late")),
        lambda: claims.keep(late, day_pct=50),
        lambda: claims.finish(late, now=timezone.now()),
        lambda: claims.fail(late, "late", now=timezone.now()),
    ):
        with pytest.raises(claims.ClaimLost):
            write()

    backtest.refresh_from_db()
    assert (backtest.status, backtest.digest) == (Status.DONE, digest)
    assert claims.digest_of(backtest) == digest


def test_without_the_claim_a_late_process_would_write(start, recorded):
    """The control of the test above: only the claim stops it."""
    backtest = start()
    late = claims.claim(now=timezone.now())
    day = claims.waiting_days(late)[0]

    claims.record(late, day, claims.unusable("late"))

    assert backtest.days.filter(reason="late").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_run_each_day_once(start, recorded):
    backtest = start()

    counts = together([run_all, run_all])

    backtest.refresh_from_db()
    assert sum(counts) == 1
    assert (backtest.status, backtest.done_count) == (Status.DONE, 3)


def test_one_that_ends_its_processes_is_given_up(start, recorded):
    backtest = start()

    for _ in range(claims.LOST_LIMIT):
        assert claims.claim(now=timezone.now()) is not None
        let_the_lease_lapse()

    assert claims.claim(now=timezone.now()) is None
    backtest.refresh_from_db()
    assert backtest.status == Status.FAILED
    assert "3 processes" in backtest.reason


def test_a_canceled_one_is_let_go_of_at_the_next_look(start, recorded, monkeypatch):
    monkeypatch.setattr(runner, "KEEP_EVERY_SECONDS", 0)
    backtest = start()

    def cancel_at_the_first_look() -> bool:
        services.cancel(backtest=backtest, now=timezone.now())
        return False

    claimed = claims.claim(now=timezone.now())
    with pytest.raises(claims.ClaimLost):
        runner.run(claimed, cancel_at_the_first_look)

    backtest.refresh_from_db()
    assert backtest.status == Status.CANCELED
    assert not backtest.days.exclude(outcome=BacktestDay.Outcome.WAITING).exists()


def test_a_process_that_is_stopped_hands_over_at_once(start, recorded, monkeypatch):
    monkeypatch.setattr(runner, "KEEP_EVERY_SECONDS", 0)
    backtest = start()

    runner.run(claims.claim(now=timezone.now()), lambda: True)

    backtest.refresh_from_db()
    assert (backtest.runner, backtest.lease_until, backtest.lost_count) == (None, None, 0)
    assert run_all() == 1


def test_a_day_that_takes_too_long_ends_it(start, recorded, alice, settings, monkeypatch):
    monkeypatch.setattr(runner, "KEEP_EVERY_SECONDS", 0)
    settings.BACKTEST_DAY_SECONDS = 0
    backtest = start(link=save_strategy(owner=alice, name="Slow", program=SLOW))

    run_all()

    backtest.refresh_from_db()
    assert backtest.status == Status.FAILED
    assert f"{DAYS[0]} took longer" in backtest.reason


def test_without_money_left_it_ends_and_says_so(start, recorded):
    backtest = start()
    claimed = claims.claim(now=timezone.now())
    first = claims.waiting_days(claimed)[0]
    lost = {"outcome": BacktestDay.Outcome.RAN, "final_nlv_cents": 0, "total_pl_cents": -2_500_000}
    claims.record(claimed, first, lost)

    runner.run(claimed, NEVER)

    backtest.refresh_from_db()
    assert (backtest.status, backtest.done_count) == (Status.DONE, 1)
    assert backtest.reason == f"nothing was left to trade with on {DAYS[1]}"


def test_a_newer_engine_starts_again(start, recorded):
    backtest = start()
    run_all()
    stale = {"status": Status.RUNNING, "engine_version": "0", "runner": None, "done_count": 2}
    Backtest.objects.update(**stale, lease_until=None)

    run_all()

    backtest.refresh_from_db()
    assert (backtest.status, backtest.done_count) == (Status.DONE, 3)


def test_the_job_starts_a_process_only_where_something_waits(start, recorded, monkeypatch):
    begun = []
    monkeypatch.setattr(tasks, "ensure_running", lambda: begun.append(1) or True)

    tasks.start_backtests()
    start()
    tasks.start_backtests()
    claims.claim(now=timezone.now())
    tasks.start_backtests()

    assert begun == [1]


def environment() -> dict[str, str]:
    given = connection.settings_dict
    login = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
    database = f"postgres://{login}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    return {**os.environ, "DATABASE_URL": database}


@pytest.mark.django_db(transaction=True)
def test_a_real_process_is_killed_and_the_next_one_ends_the_work(start, recorded, alice):
    program = "def on_tick(ctx):\n    for _ in range(4000):\n        pass\n"
    backtest = start(link=save_strategy(owner=alice, name="Busy", program=program))
    command = [sys.executable, django_settings.BASE_DIR / "manage.py", process.COMMAND]
    with subprocess.Popen(command, env=environment()) as first:
        wait_until(lambda: Backtest.objects.get().status == Status.RUNNING)
        first.kill()

    let_the_lease_lapse()
    done = subprocess.run(command, env=environment(), check=False, timeout=120)

    backtest.refresh_from_db()
    assert done.returncode == 0
    assert (backtest.status, backtest.done_count) == (Status.DONE, 3)


@pytest.mark.django_db(transaction=True)
def test_the_process_ends_with_its_worker_and_hands_over(start, recorded, alice):
    start(link=save_strategy(owner=alice, name="Slow", program=SLOW))
    manage = f"{sys.executable} {django_settings.BASE_DIR / 'manage.py'}"
    command = ["sh", "-c", f"{manage} {process.COMMAND} & wait"]
    with subprocess.Popen(command, env=environment()) as worker:
        wait_until(lambda: Backtest.objects.get().status == Status.RUNNING)
        worker.kill()

    wait_until(lambda: Backtest.objects.get().runner is None)

    assert Backtest.objects.get().status == Status.RUNNING  # the next process goes on


def test_a_worker_has_one_process_at_a_time(monkeypatch):
    monkeypatch.setattr(process, "COMMAND", "version")

    assert process.ensure_running()
    assert not process.ensure_running()
    process._running.wait()

    assert process.ensure_running()
    process._running.wait()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_ends_takes_its_process_along_and_it_hands_over(start, recorded, alice):
    start(link=save_strategy(owner=alice, name="Slow", program=SLOW))
    worker = """
import sys, django
django.setup()
from backtests import process
process.ensure_running()
print(process._running.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", worker]
    with subprocess.Popen(
        command,
        env={**environment(), "DJANGO_SETTINGS_MODULE": "config.settings.base"},
        cwd=django_settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        pid = int(running.stdout.readline())
        wait_until(lambda: Backtest.objects.get().status == Status.RUNNING)
        session, priority = os.getsid(pid), os.getpriority(os.PRIO_PROCESS, pid)
        running.stdin.close()
        running.wait()

    backtest = Backtest.objects.get()
    assert (session, priority) == (pid, min(os.nice(0) + process.NICENESS, 19))
    assert (backtest.status, backtest.runner) == (Status.RUNNING, None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def wait_until(is_so) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
