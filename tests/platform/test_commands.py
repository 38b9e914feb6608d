from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from launcher import manage, up
from launcher.data_dir import DataDir
from launcher.paths import ROOT, VENV_PYTHON
from launcher.ports import free_port, is_free
from launcher.signals import Stopped, stoppable

NOTHING = {}
BOTH = {"DATABASE_URL": "postgres://x/y", "REDIS_URL": "redis://x/0"}


def only_line(text: str) -> str:
    (line,) = text.strip().splitlines()
    return line


def test_a_taken_port_is_one_sentence(launch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        refused = launch("up", "--port", str(port))

    assert refused.returncode == 1
    assert only_line(refused.stderr) == (
        f"Port {port} is taken: stop the program that listens there, or choose another --port."
    )


def test_a_second_start_on_the_same_directory_is_one_sentence(launch, data_dir):
    with data_dir.locked("up"):
        refused = launch("up", "--data", str(data_dir.path))

    assert refused.returncode == 1
    assert only_line(refused.stderr).startswith(f"bin/up (process {os.getpid()}) is using")


def test_reset_refuses_a_directory_that_is_not_ours(launch, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("precious")

    refused = launch("up", "--reset", "--data", str(foreign))

    assert refused.returncode == 1
    assert "nothing was deleted" in only_line(refused.stderr)
    assert (foreign / "thesis.tex").exists()


def test_reset_waits_for_nobody_it_refuses_a_directory_in_use(launch, data_dir):
    with data_dir.locked("up"):
        refused = launch("up", "--reset", "--data", str(data_dir.path))

    assert "stop it first" in only_line(refused.stderr)


def test_a_tape_that_is_not_there_is_bad_input(launch, tmp_path):
    refused = launch("up", "--tape", str(tmp_path / "day.csv"))

    assert refused.returncode == 2
    assert only_line(refused.stderr).endswith("day.csv: expected a file, the tape to replay.")


@pytest.mark.parametrize(
    "words", [["--port", "0"], ["--port", "65536"], ["--speed", "0"], ["--speed", "fast"]]
)
def test_a_flag_out_of_range_is_bad_input(launch, words):
    assert launch("up", *words).returncode == 2


def test_flags_have_the_documented_defaults(monkeypatch):
    monkeypatch.delenv("ZEROHOUR_DATA", raising=False)

    options = up.parse([])

    assert (options.port, options.speed, options.data) == (8000, "30", ROOT / ".data")
    assert (options.has_demo, options.reset, options.until_close) == (True, False, False)


def test_the_data_directory_can_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ZEROHOUR_DATA", str(tmp_path))

    assert up.parse([]).data == tmp_path
    assert up.parse(["--data", "/elsewhere"]).data.as_posix() == "/elsewhere"


def test_an_unknown_command_is_refused(launch):
    assert "known are up, manage, test" in only_line(launch("down").stderr)


def test_help_needs_no_environment(launch):
    shown = launch("up", "--help")

    assert shown.returncode == 0
    for flag in ("--port", "--data", "--speed", "--tape", "--reset", "--no-demo", "--until-close"):
        assert flag in shown.stdout


def test_the_banner_holds_a_line_that_can_be_pasted(tmp_path):
    demo = {"email": "demo@example.com", "password": "open sesame", "token": "0" * 32}

    shown = up.banner("http://127.0.0.1:8000", demo, up.parse([]), DataDir(tmp_path))

    assert f"curl -s -H 'Authorization: {'0' * 32}' http://127.0.0.1:8000/api/bots\n" in shown
    assert "demo@example.com" in shown
    assert "open sesame" in shown


@pytest.mark.parametrize(
    ("arguments", "env", "expected"),
    [
        (["migrate"], NOTHING, True),
        (["create_user", "a@example.com"], NOTHING, True),
        (["shell"], NOTHING, True),
        (["simulate", "--tape", "day.csv"], NOTHING, False),
        (["tape", "check", "day.csv"], NOTHING, False),
        (["help"], NOTHING, False),
        (["migrate", "--help"], NOTHING, False),
        (["--version"], NOTHING, False),
        ([], NOTHING, False),
        (["migrate"], BOTH, False),
        (["migrate"], {"DATABASE_URL": "postgres://x/y"}, True),
    ],
)
def test_services_are_started_for_commands_that_need_them(arguments, env, expected):
    assert manage.needs_services(arguments, env) is expected


def test_a_command_without_services_runs_in_the_callers_folder(tmp_path):
    done = subprocess.run(
        [VENV_PYTHON, ROOT / "launcher", "manage", "version"],
        env=dict(os.environ, ZEROHOUR_DATA=str(tmp_path / "data")),
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout.startswith("5.2")
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_port_is_free_until_someone_listens():
    port = free_port()

    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert free_port(port) != port
    assert free_port(port) == port


def test_the_first_stop_signal_raises_and_later_ones_do_not_disturb_cleaning_up():
    cleaned_up = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            cleaned_up.append(True)

    with pytest.raises(Stopped, match="SIGTERM"), stoppable():
        work()

    assert cleaned_up == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("name", ["up", "manage", "test", "compile-requirements"])
def test_the_files_of_bin_say_when_python_is_missing(name):
    script = ROOT / "launcher" / "run.sh"
    text = (ROOT / "bin" / name).read_text()

    assert f'/../launcher/run.sh" {name} "$@"' in text
    assert script.stat().st_mode & 0o111
    assert (ROOT / "bin" / name).stat().st_mode & 0o111


def test_a_missing_python_is_one_sentence(tmp_path):
    copy = tmp_path / "launcher"
    copy.mkdir()
    (copy / "run.sh").write_text((ROOT / "launcher" / "run.sh").read_text())
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "dirname").symlink_to("/usr/bin/dirname")

    refused = subprocess.run(
        ["/bin/sh", copy / "run.sh", "up"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert only_line(refused.stderr).startswith("Python 3.11 or later was not found: install it")


def test_the_launcher_runs_under_a_python_without_packages():
    isolated = [sys.executable, "-S", "-c", "import launcher.main"]

    done = subprocess.run(isolated, cwd=ROOT, capture_output=True, check=False, text=True)

    assert (done.returncode, done.stderr) == (0, "")
