"""bin/test: every check of the project, on services of its own that leave nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher import chromium, service_user
from launcher.console import progress
from launcher.data_dir import DataDir
from launcher.paths import ROOT, VENV_PYTHON
from launcher.services import Services
from launcher.signals import stoppable

# Looking for plugins by itself costs pytest eight seconds.
PLUGINS = (
    "pytest_django.plugin",
    "pytest_timeout",
    "pytest_cov.plugin",
    "xdist.plugin",
    "time_machine",
    "_hypothesis_pytestplugin",
)


def run(arguments: Sequence[str]) -> int:
    """With arguments, only pytest with them. Returns the status of the first check that fails."""
    if arguments:
        return _run([("pytest", pytest_command(arguments))])
    has_browser = chromium.obtain() is not None
    status = _run(all_checks())
    if not has_browser:
        progress(f"\n!! {chromium.NONE_FOUND}")
    return status


def _run(checks: Sequence[tuple[str, list[str]]]) -> int:
    with stoppable(), _services() as services:
        env = services.env | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        for title, command in checks:
            status = _check(title, command, env)
            if status:
                return status
    return 0


def all_checks() -> list[tuple[str, list[str]]]:
    # A file stays on one worker: its tests share a running system. One worker more than cores, for
    # a system that is harmed mostly waits: for leases to end, for processes to come back.
    parallel = ["-n", "3", "--dist", "loadfile"]
    return [
        ("ruff check", _module("ruff", "check", ".")),
        ("ruff format", _module("ruff", "format", "--check", ".")),
        ("mypy", _module("mypy")),
        ("import-linter", ["-c", "from importlinter.cli import lint_imports_command as c; c()"]),
        ("migrations", ["manage.py", "makemigrations", "--check", "--dry-run"]),
        ("pytest", pytest_command(parallel)),
    ]


def pytest_command(arguments: Sequence[str]) -> list[str]:
    return _module("pytest", *(f"-p{plugin}" for plugin in PLUGINS), *arguments)


def _module(name: str, *arguments: str) -> list[str]:
    return ["-m", name, *arguments]


def _check(title: str, command: Sequence[str], env: Mapping[str, str]) -> int:
    progress(f"\n== {title} " + "=" * (74 - len(title)))
    done = subprocess.run([VENV_PYTHON, *command], cwd=ROOT, env=env, check=False)
    if done.returncode:
        progress(f"\nbin/test stops: {title} failed (status {done.returncode}).")
    return done.returncode


@contextmanager
def _services() -> Iterator[Services]:
    """Quick ones, in a directory that goes with them."""
    path = Path(tempfile.mkdtemp(prefix="zerohour-test-"))
    data_dir = DataDir(path)
    data_dir.open()
    try:
        with data_dir.locked("test"), Services(data_dir, is_durable=False) as services:
            yield services
    finally:
        service_user.forget_place(path)
        shutil.rmtree(path, ignore_errors=True)
