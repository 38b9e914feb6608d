"""bin/up with the real processes: what a newcomer, and an operator, sees of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from launcher import processes, service_user
from launcher.data_dir import DataDir
from launcher.processes import birth
from launcher.supervisor import read_procfile
from tests.flows.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
NAMES = [*read_procfile(), "postgres", "broker"]
GIVE_WAY = ("web", "worker", "beat")
SECOND_START_SECONDS = 45  # under 15 on an idle machine, which one running tests is not


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data"
    yield path
    DataDir(path).register.stop_leftovers()
    service_user.forget_place(path)
    shutil.rmtree(path, ignore_errors=True)


def wait_until_gone(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 20
    while (alive := [pid for pid in pids if birth(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive


def priorities(stack: Stack) -> dict[str, int]:
    return {name: os.getpriority(os.PRIO_PROCESS, stack.pid(name)) for name in NAMES}


def come_to(stack: Stack, expected: dict[str, int]) -> dict[str, int]:
    """Their priorities, once they are these or some time has gone by: jobs give way when ready."""
    deadline = time.monotonic() + 30
    while (found := priorities(stack)) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_the_demo_starts_stops_and_starts_again_with_everything_still_there(data, launch):
    bystander = processes.spawn(["sleep", "300"], log=None, stop_signal=signal.SIGTERM)
    with Stack(demo=True, data=data) as first:
        curl = re.search(r"Try +(curl .*)", first.output())
        assert curl is not None, first.output()
        shown = subprocess.run(curl[1], shell=True, capture_output=True, check=True)
        bots = json.loads(shown.stdout)
        refused = launch("up", "--data", str(data))
        lent = launch("manage", "create_user", "alice@example.com", "--password", "open sesame 4")
        pids = [first.pid(name) for name in NAMES]
        lower = min(os.nice(0) + 10, 19)
        ticks_first = dict.fromkeys(NAMES, os.nice(0)) | dict.fromkeys(GIVE_WAY, lower)
        found = come_to(first, ticks_first)
        status = first.stop(signal.SIGINT)
        survivors = [pid for pid in pids if birth(pid)]
        output = first.output()

    assert len(bots) == 3
    assert "stop it first" in refused.stderr
    assert lent.returncode == 0, lent.stderr
    assert "Starting PostgreSQL" not in lent.stderr
    assert found == ticks_first
    assert (status, survivors) == (0, [])
    assert "Traceback" not in output
    assert bystander.poll() is None
    processes.stop(bystander, signal.SIGTERM, patience_seconds=5)

    started = time.monotonic()
    with Stack(demo=True, data=data) as second:
        took_seconds = time.monotonic() - started
        token = second.manage("create_user", "alice@example.com", "--token-only")
        answered, _ = second.get("/api/user", token=token.stdout.split()[-1])

    assert answered == 200
    assert took_seconds < SECOND_START_SECONDS


def test_a_command_without_a_running_system_gets_services_for_its_duration(data, launch):
    created = launch("manage", "create_user", "bob@example.com", "--password", "open sesame 4")
    again = launch("manage", "create_user", "bob@example.com", "--token-only")

    assert (created.returncode, again.returncode) == (0, 0), created.stderr + again.stderr
    assert re.fullmatch(r"[0-9a-f]{32}", again.stdout.strip())
    assert not (data / "processes.json").exists()


def test_when_one_process_dies_it_is_named_and_all_stop(data):
    with Stack(data=data) as stack:
        pids = [stack.pid(name) for name in NAMES]
        os.kill(stack.pid("worker"), signal.SIGKILL)

        status = stack.wait(60)

        assert status == 1
        assert "worker (status -9) ended unexpectedly" in stack.output()
        assert [pid for pid in pids if birth(pid)] == []


def test_after_a_killed_start_the_next_one_finds_its_way(data):
    with Stack(data=data) as killed:
        pids = [killed.pid(name) for name in NAMES]
        killed.stop(signal.SIGKILL)
        killed_status = killed.wait(10)

    with Stack(data=data) as again:
        answered, _ = again.get("/health")

    assert killed_status == -signal.SIGKILL
    assert answered == 200
    assert wait_until_gone(pids) == []
