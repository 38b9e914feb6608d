from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from launcher import processes
from launcher.paths import ROOT
from launcher.processes import Register, birth

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)",
]


def started(command: list[str]) -> subprocess.Popen[bytes]:
    child = processes.spawn(command, log=subprocess.PIPE, stop_signal=signal.SIGTERM)
    child.stdout.readline()
    return child


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while birth(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_process_is_asked_to_end():
    child = started(SLEEPER)

    processes.stop(child, signal.SIGTERM, patience_seconds=10)

    assert child.returncode == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_killed_when_patience_ends():
    child = started(DEAF)

    processes.stop(child, signal.SIGTERM, patience_seconds=0.2)

    assert child.returncode == -signal.SIGKILL


def test_what_a_process_leaves_behind_ends_with_it():
    child = processes.spawn(
        ["/bin/sh", "-c", "sleep 60 & echo $!; wait"],
        log=subprocess.PIPE,
        stop_signal=signal.SIGTERM,
    )
    grandchild = int(child.stdout.readline())

    processes.stop(child, signal.SIGTERM, patience_seconds=10)

    wait_until_gone(grandchild)
    assert birth(grandchild) is None


def test_a_ctrl_c_of_the_terminal_does_not_reach_a_process():
    child = started(SLEEPER)

    is_in_our_group = os.getpgid(child.pid) == os.getpgid(0)

    assert not is_in_our_group
    processes.stop(child, signal.SIGTERM, patience_seconds=10)


def test_a_process_ends_when_its_launcher_is_killed():
    script = (
        "import os, signal, subprocess; from launcher import processes\n"
        "child = processes.spawn(['sleep', '60'], log=None, stop_signal=signal.SIGTERM)\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    launcher = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    orphan = int(launcher.stdout)

    wait_until_gone(orphan)

    assert birth(orphan) is None


def test_leftovers_of_an_earlier_start_are_stopped_latest_first(tmp_path):
    children = [started(SLEEPER), started(DEAF)]
    register = Register(tmp_path / "processes.json")
    for name, child in zip(("postgres", "web"), children, strict=True):
        register.add(name, child.pid, stop_signal=signal.SIGTERM)

    stopped = Register(tmp_path / "processes.json").stop_leftovers(patience_seconds=0.5)

    assert stopped == ["web", "postgres"]
    assert [child.wait() for child in children] == [-signal.SIGTERM, -signal.SIGKILL]
    assert not (tmp_path / "processes.json").exists()


def test_a_process_that_got_a_recorded_id_later_is_left_alone(tmp_path):
    child = started(SLEEPER)
    path = tmp_path / "processes.json"
    Register(path).add("web", child.pid, stop_signal=signal.SIGTERM)
    path.write_text(path.read_text().replace(birth(child.pid), "another boot:1"))

    stopped = Register(path).stop_leftovers()

    assert stopped == []
    assert child.poll() is None
    processes.stop(child, signal.SIGTERM, patience_seconds=10)


def test_a_cleared_register_stops_nothing(tmp_path):
    register = Register(tmp_path / "processes.json")
    child = started(SLEEPER)
    register.add("web", child.pid, stop_signal=signal.SIGTERM)

    register.clear()

    assert register.stop_leftovers() == []
    assert child.poll() is None
    processes.stop(child, signal.SIGTERM, patience_seconds=10)


def test_the_command_line_of_a_process_can_be_read():
    child = started(SLEEPER)

    assert "time.sleep(60)" in processes.command_line(child.pid)

    processes.stop(child, signal.SIGTERM, patience_seconds=10)
    assert processes.command_line(child.pid) == ""
