"""bin/manage: a management command with the services it needs.

A running bin/up of the same data directory lends its services. Otherwise they are started for the
duration of the command, unless it is one that needs none.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from launcher.console import Refusal, progress
from launcher.data_dir import DataDir, Runtime
from launcher.paths import ROOT, VENV_PYTHON
from launcher.services import Services, environment
from launcher.signals import stoppable

WITHOUT_SERVICES = {
    "build_calendar",
    "check",
    "collectstatic",
    "diffsettings",
    "help",
    "simulate",
    "spectacular",
    "tape",
    "version",
}
HELP_FLAGS = {"-h", "--help", "--version"}


def manage_command(arguments: Sequence[str]) -> list[str]:
    return [str(VENV_PYTHON), str(ROOT / "manage.py"), *arguments]


def run_manage(arguments: Sequence[str], env: Mapping[str, str]) -> str:
    """The output of a management command. Raises Refusal with the end of what a failed one said."""
    done = subprocess.run(
        manage_command(arguments), env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        progress((done.stderr or done.stdout).rstrip())
        raise Refusal(f"`manage.py {' '.join(arguments)}` failed; what it said is above.")
    return done.stdout


def run(arguments: Sequence[str]) -> int:
    """Returns the command's exit status. It runs in the caller's folder and terminal."""
    data_dir = DataDir(Path(os.environ.get("ZEROHOUR_DATA") or ROOT / ".data"))
    data_dir.open()
    env = environment(data_dir)
    if not needs_services(arguments, env):
        os.execve(VENV_PYTHON, manage_command(arguments), env)
    running = _wait_for_turn(data_dir)
    if running is not None:
        os.execve(VENV_PYTHON, manage_command(arguments), env | running.env)
    with data_dir.locked("manage"), stoppable(), Services(data_dir) as services:
        if services.has_new_database:
            run_manage(["migrate", "--no-input"], services.env)
        return _run_in_foreground(arguments, services.env)


def needs_services(arguments: Sequence[str], env: Mapping[str, str]) -> bool:
    if env.get("DATABASE_URL") and env.get("REDIS_URL"):
        return False
    names_command = bool(arguments) and not arguments[0].startswith("-")
    asks_for_help = bool(HELP_FLAGS & set(arguments))
    return names_command and not asks_for_help and arguments[0] not in WITHOUT_SERVICES


def _wait_for_turn(data_dir: DataDir) -> Runtime | None:
    """The running bin/up, or None when nobody uses the directory; other commands are waited for."""
    has_said_so = False
    while data_dir.is_locked():
        runtime = data_dir.read_runtime()
        if runtime is not None and runtime.is_live():
            return runtime
        if not has_said_so:
            progress(f"Waiting for {data_dir.holder()} …")
            has_said_so = True
        time.sleep(0.2)
    return None


def _run_in_foreground(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """In our own process group, so that it may use the terminal; a Ctrl-C is for it to answer."""
    command = subprocess.Popen(manage_command(arguments), env=env)
    signal.signal(signal.SIGINT, _leave_it_to_the_command)
    try:
        status = command.wait()
    except BaseException:
        command.send_signal(signal.SIGTERM)
        command.wait()
        raise
    return status if status >= 0 else 128 - status


def _leave_it_to_the_command(_signum: int, _frame: FrameType | None) -> None:
    """The terminal sends Ctrl-C to it as well."""
