from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import time

import pytest

from launcher.processes import birth
from launcher.supervisor import Supervisor, read_procfile, short_form


class ClosedTerminal(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def supervisor(data_dir):
    supervised = Supervisor(data_dir, dict(os.environ))
    yield supervised
    supervised.stop()


def wait_for_log(data_dir, name: str, text: str) -> str:
    path = data_dir.logs / f"{name}.log"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and text in path.read_text():
            break
        time.sleep(0.02)
    return path.read_text()


def test_the_procfile_has_the_five_processes():
    lines = read_procfile()

    assert list(lines) == ["web", "market", "worker-sessions", "worker", "beat"]


def test_comments_and_empty_lines_of_a_procfile_are_no_processes(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("# who serves\nweb: serve --at 127.0.0.1:80\n\nbeat: tick\n")

    assert read_procfile(path) == {"web": "serve --at 127.0.0.1:80", "beat": "tick"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-05-07T13:30:00Z info     marketdata.market: opened", "opened"),
        ("2026-05-07T13:30:00Z warning  sessions.runner: slow", "warning: slow"),
        ("2026-05-07T13:30:00Z error    sessions.runner: lost", "error: lost"),
        ("2026-05-07T13:30:00Z debug    sessions.runner: detail", None),
        ("2026-05-07T13:30:00Z info     uvicorn.access: GET /health", None),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
    ],
)
def test_the_terminal_shows_what_happens_and_the_file_keeps_the_rest(line, shown):
    assert short_form(line) == shown


def test_what_a_process_says_is_kept_whole_and_shown_with_its_name(data_dir, supervisor, capfd):
    supervisor.start(
        "web", "printf '%s\\n' '2026-05-07T13:30:00Z info     uvicorn.access: GET /' 'hello'"
    )
    kept = wait_for_log(data_dir, "web", "hello")
    supervisor.stop()

    assert "uvicorn.access: GET /" in kept
    assert capfd.readouterr().out == "web             | hello\n"


def test_a_line_may_begin_with_variables_and_leaves_no_shell_between(supervisor):
    supervisor.start("web", "GREETING=hello sleep 60")

    (running,) = supervisor.running
    supervisor.stop()

    assert running.process.returncode == -signal.SIGTERM


def test_a_process_that_ends_by_itself_is_named_with_its_status(supervisor):
    supervisor.start("beat", "sleep 60")
    supervisor.start("web", "sh -c 'exit 3'")

    assert supervisor.wait_for_an_end() == [("web", 3)]


def test_the_end_of_a_service_ends_everything_too(data_dir):
    service = subprocess.Popen(["/bin/sh", "-c", "exit 5"])
    supervisor = Supervisor(data_dir, dict(os.environ), watched={"postgres": service})
    supervisor.start("web", "sleep 60")

    assert supervisor.wait_for_an_end() == [("postgres", 5)]
    supervisor.stop()


def test_a_terminal_that_went_away_does_not_stop_a_process_or_its_log(
    data_dir, supervisor, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", ClosedTerminal())
        supervisor.start("web", "sh -c 'for i in $(seq 20000); do echo line $i; done; sleep 60'")
        kept = wait_for_log(data_dir, "web", "line 20000")

    assert "line 20000" in kept
    assert supervisor.ended() == []


def test_stopping_ends_every_process_and_nothing_else(data_dir, supervisor):
    other = Supervisor(data_dir, dict(os.environ))
    other.start("other", "sleep 60")
    for name in ("web", "beat"):
        supervisor.start(name, "sleep 60")
    pids = [each.process.pid for each in supervisor.running]

    supervisor.stop()

    assert [birth(pid) for pid in pids] == [None, None]
    assert other.ended() == []
    other.stop()


def test_a_long_log_begins_anew_and_the_last_one_is_kept(data_dir, supervisor, monkeypatch):
    monkeypatch.setattr("launcher.supervisor.LOG_LIMIT_BYTES", 10)
    (data_dir.logs / "web.log").write_text("a long story\n")

    supervisor.start("web", "echo hello")
    wait_for_log(data_dir, "web", "hello")

    assert (data_dir.logs / "web.log.1").read_text() == "a long story\n"
    assert (data_dir.logs / "web.log").read_text() == "hello\n"
