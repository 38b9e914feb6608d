"""The real process: its signals, its lock, its death and resurrection."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from marketdata import queries, services, ticklog
from marketdata.management.commands.run_market import Command
from marketdata.models import MarketDay
from tests.marketdata.factories import A_DAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tape(tmp_path):
    lines = ["datetime,spot,vix,expected_move,type,strike,bid,ask,delta"]
    for second in range(900):
        at = f"2026-05-07T13:{30 + second // 60}:{second % 60:02d}Z"
        lines.append(f"{at},{5950 + second / 100:.2f},16.2,21.5,P,5945,4.10,4.30,0.46")
    path = tmp_path / "day.csv"
    path.write_text("\n".join([*lines, "#settlement,5951.87"]) + "\n")
    return path


@pytest.fixture
def run_market(tmp_path):
    """Starts the command on the test's database; stops what is left of it afterwards."""
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@"
        f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    env = {**os.environ, "DATABASE_URL": url, "ZEROHOUR_DATA": str(tmp_path)}
    started = []

    def start(*args):
        command = [sys.executable, "manage.py", "run_market", *map(str, args)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
    for trading_date in MarketDay.objects.values_list("pk", flat=True):
        ticklog.drop_partition(trading_date)


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def last_seq():
    day = queries.day(A_DAY)
    return 0 if day is None else day.last_seq


def test_a_killed_market_resumes_and_a_terminated_one_stops_cleanly(run_market, tape):
    options = ("--tape", tape, "--speed", "100", "--lead-seconds", "0.5")
    first = run_market(*options)
    until(lambda: last_seq() > 100)

    first.send_signal(signal.SIGKILL)
    first.wait(10)
    seq_at_death = last_seq()
    second = run_market(*options)
    until(lambda: last_seq() > seq_at_death + 100)
    second.send_signal(signal.SIGTERM)

    assert second.wait(10) == 0
    ticks = ticklog.read(A_DAY, 0, 1_000)
    assert [tick.spot_cents for tick in ticks] == [595_000 + n for n in range(len(ticks))]


def test_a_whole_tape_settles_and_a_second_market_is_refused(run_market, tape):
    first = run_market("--tape", tape, "--speed", "1000", "--lead-seconds", "0.1")
    until(lambda: queries.settlement(A_DAY) is not None)

    second = run_market("--tape", tape)
    output, _ = second.communicate(timeout=60)

    assert second.returncode == 2
    assert "another market process runs on this database" in output
    assert queries.settlement(A_DAY) == (595187, "official")
    assert first.poll() is None  # closed, but alive
    assert queries.market_now().is_healthy


def test_a_scenario_runs_and_obeys_its_operator(run_market):
    selloff = ("--scenario", "selloff", "--start-date", A_DAY, "--seed", "7")
    run_market(*selloff, "--speed", "50", "--lead-seconds", "0.5")
    until(lambda: last_seq() > 50)

    services.steer(is_paused=True)
    until(lambda: queries.market_now().speed == 0)
    stood_at = last_seq()
    services.steer(steps_left=7)
    until(lambda: queries.control().steps_left == 0)

    assert last_seq() == stood_at + 7
    assert queries.market_now().is_healthy
    assert queries.day(A_DAY).source == "synthetic:7/selloff"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tape", "/absent.csv"), "/absent.csv: expected a file"),
        (("--speed", "0"), "'0' is not a number above 0"),
        (("--speed", "nan"), "'nan' is not a number above 0"),
        (("--start-date", "soon"), "soon"),
        (("--scenario", "boom"), "invalid choice: 'boom'"),
        (("--feed", "live:nobody"), "invalid choice: 'live:nobody'"),
        (("--feed", "live:tastytrade", "--tape", "day.csv"), "not allowed with argument"),
        (("--feed", "live:tastytrade", "--pretend-now", "9:30"), "is not a time such as"),
    ],
)
def test_bad_options_end_with_status_two(options, said, capsys):
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "run_market", *options])

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_live_feed_without_credentials_names_what_to_set(monkeypatch, capsys):
    for name in ("TASTYTRADE_CLIENT_SECRET", "TASTYTRADE_REFRESH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SystemExit) as ended:
        call_command("run_market", "--feed", "live:tastytrade")

    assert ended.value.code == 2
    assert "TASTYTRADE_CLIENT_SECRET and TASTYTRADE_REFRESH_TOKEN" in capsys.readouterr().err


def test_only_a_live_feed_can_be_rehearsed_at_another_time():
    with pytest.raises(CommandError, match="is for a live feed"):
        call_command("run_market", "--pretend-now", "2026-05-07T13:29:50Z")
