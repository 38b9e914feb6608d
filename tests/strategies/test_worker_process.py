"""What a worker process has and may do, seen from the operating system: as good as nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simengine.strategy import StrategyError
from strategies.runtime import hardening
from strategies.runtime.sandbox import Sandbox
from tests.strategies.market import view

QUIET = "def on_tick(ctx):\n    ctx.state = 1\n"
SPIN = "def on_tick(ctx):\n    while True:\n        pass\n"


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """The pid of a worker whose parent has secrets, files and a connection open."""
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    with open(tmp_path / "secret", "w"), Sandbox() as fresh:
        fresh.strategy(QUIET).call("on_tick", view(), None)
        (pid,) = fresh.worker_pids()
        yield pid


def test_its_environment_holds_nothing_of_ours(worker):
    assert b"secret" not in Path(f"/proc/{worker}/environ").read_bytes()


def test_it_inherits_no_file_and_no_socket(worker, db):
    opened = [os.readlink(path) for path in Path(f"/proc/{worker}/fd").iterdir()]

    assert not any("secret" in target or "socket" in target for target in opened)


def test_it_is_another_process_with_an_interpreter_of_its_own(worker):
    mapped = Path(f"/proc/{worker}/maps").read_text()

    assert worker != os.getpid()
    assert "monty" in mapped
    assert "python" not in mapped.replace("/lib/python", "").replace("site-packages", "")


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("Max open files", 0),
        ("Max processes", 0),
        ("Max file size", 0),
        ("Max core file size", 0),
        ("Max address space", 1024**3),
    ],
)
def test_its_limits_are_set_and_cannot_be_raised(worker, limit, value):
    rows = {
        line[:26].strip(): line[26:].split()[:2]
        for line in Path(f"/proc/{worker}/limits").read_text().splitlines()
    }

    assert rows[limit] == [str(value), str(value)]  # soft and hard


BREAK_OUT = """
import os, socket, sys
print("ready", flush=True)
sys.stdin.readline()
for name, attempt in {
    "file": lambda: open("/etc/passwd"),
    "socket": lambda: socket.socket(),
    "pipe": lambda: os.pipe(),
}.items():
    try:
        attempt()
        print(name, "opened")
    except OSError as error:
        print(name, error.strerror)
"""


def test_under_these_limits_a_whole_python_opens_neither_file_nor_socket():
    """What somebody could do who broke out of the interpreter into the process."""
    command = [sys.executable, "-c", BREAK_OUT]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as broken_out:
        assert broken_out.stdout is not None
        broken_out.stdout.readline()
        hardening.restrict(broken_out.pid)
        said, _ = broken_out.communicate("go\n")

    full = "Too many open files"
    assert said.splitlines() == [f"file {full}", f"socket {full}", f"pipe {full}"]


def test_without_the_limits_it_opens_all_three():
    """The control of the test above."""
    command = [sys.executable, "-c", BREAK_OUT]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as free:
        said, _ = free.communicate("go\n")

    assert [line.split()[1] for line in said.splitlines()[1:]] == ["opened"] * 3


ORPHANS = """
import os, sys, threading
from strategies.runtime.sandbox import Sandbox
from tests.strategies.market import view
sandbox = Sandbox()
strategy = sandbox.strategy(sys.argv[1])
print(*sandbox.worker_pids(), flush=True)
threading.Timer(0.1, lambda: os.kill(os.getpid(), 9)).start()
while True:
    strategy.call("on_tick", view(), None)
"""


@pytest.mark.parametrize("program", [QUIET, SPIN])
def test_workers_end_with_a_runner_that_is_killed(program):
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", ORPHANS, program]

    killed = subprocess.run(command, env=given, stdout=-1, text=True, check=False)

    assert killed.returncode == -9
    (pid,) = (int(word) for word in killed.stdout.split())
    deadline = time.monotonic() + 10
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(pid)


def test_a_worker_that_is_ended_in_a_call_is_replaced_by_a_limited_one():
    with Sandbox() as sandbox:
        with pytest.raises(StrategyError, match="TimeoutError"):
            sandbox.strategy(SPIN).call("on_tick", view(), None)
        sandbox.strategy(QUIET).call("on_tick", view(), None)
        limits = Path(f"/proc/{sandbox.worker_pids()[-1]}/limits").read_text()

    assert "Max open files            0                    0" in limits


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie has ended too
