"""Runs the lines of the Procfile: starts them, shows and keeps what they say, ends them together.

Nothing is restarted in silence: when one process ends by itself, that is reported and all stop.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from launcher import processes
from launcher.console import progress
from launcher.data_dir import DataDir
from launcher.paths import ROOT

# A worker finishes its tick, commits and hands its sessions over.
STOP_PATIENCE_SECONDS = 15
LOG_LIMIT_BYTES = 20_000_000
_POLL_SECONDS = 0.1
_COLOURS = (36, 33, 32, 35, 34)
# config/logs.py: "2026-05-07T13:30:00.120Z info     uvicorn.access: GET /health"
_LOG_LINE = re.compile(r"^\d{4}-\S+ (?P<level>\w+) +(?P<logger>[\w.]+): (?P<message>.*)$")
_ONLY_IN_THE_FILE = {"uvicorn.access"}


def read_procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """Name to shell command. Empty lines and comments are skipped."""
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name.strip(): command.strip() for name, _, command in pairs}


def short_form(line: str) -> str | None:
    """A line of a log as the terminal shows it; None when it is for the file only."""
    parts = _LOG_LINE.match(line)
    if parts is None:
        return line
    if parts["logger"] in _ONLY_IN_THE_FILE or parts["level"] == "debug":
        return None
    return parts["message"] if parts["level"] == "info" else f"{parts['level']}: {parts['message']}"


@dataclass
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    reader: threading.Thread


class Supervisor:
    """`watched` are processes that others start and stop, but whose end ends everything too."""

    def __init__(
        self,
        data_dir: DataDir,
        env: Mapping[str, str],
        *,
        watched: Mapping[str, subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._env = env
        self._watched = watched or {}
        self._has_terminal = True
        self.running: list[_Running] = []
        self._terminal = threading.Lock()

    def start(self, name: str, command: str) -> None:
        """Start a line of the Procfile in the checkout. It must stop on SIGTERM."""
        process = processes.spawn(
            ["/bin/sh", "-c", f"exec env {command}"],
            log=subprocess.PIPE,
            stop_signal=signal.SIGTERM,
            env=self._env,
            cwd=ROOT,
        )
        self._data_dir.register.add(name, process.pid, stop_signal=signal.SIGTERM)
        colour = _COLOURS[len(self.running) % len(_COLOURS)]
        reader = threading.Thread(target=self._read, args=(name, colour, process), daemon=True)
        self.running.append(_Running(name, process, reader))
        reader.start()

    def ended(self) -> list[tuple[str, int]]:
        """Name and exit status of the processes that ended by themselves."""
        everything = {**self._watched, **{each.name: each.process for each in self.running}}
        polled = {name: process.poll() for name, process in everything.items()}
        return [(name, status) for name, status in polled.items() if status is not None]

    def wait_for_an_end(self) -> list[tuple[str, int]]:
        while not (ended := self.ended()):
            time.sleep(_POLL_SECONDS)
        return ended

    def stop(self) -> None:
        """Ask all at once, then wait for each: together they take as long as the slowest."""
        for each in self.running:
            if each.process.poll() is None:
                each.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_SECONDS
        for each in self.running:
            patience_seconds = max(0.0, deadline - time.monotonic())
            processes.finish(each.process, patience_seconds=patience_seconds)
            each.reader.join(timeout=1)
        self.running = []

    def _read(self, name: str, colour: int, process: subprocess.Popen[bytes]) -> None:
        """Read to the end whatever happens to log and terminal: a full pipe stops its writer."""
        assert process.stdout is not None
        with process.stdout, self._open_log(name) as log:
            is_kept = True
            for raw in process.stdout:
                is_kept = is_kept and self._keep(name, log, raw)
                self._show(name, colour, raw.decode(errors="replace").rstrip())

    def _open_log(self, name: str) -> IO[bytes]:
        path = self._data_dir.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab", buffering=0)

    def _keep(self, name: str, log: IO[bytes], raw: bytes) -> bool:
        try:
            log.write(raw)
        except OSError as error:
            progress(f"The log of {name} is not written any more: {error.strerror}.")
            return False
        return True

    def _show(self, name: str, colour: int, line: str) -> None:
        shown = short_form(line)
        if not shown or not self._has_terminal:
            return
        prefix = f"{name:<15} |"
        if sys.stdout.isatty():
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with self._terminal:
            try:
                print(prefix, shown, flush=True)
            except OSError:
                self._has_terminal = False  # closed, or a pipe nobody reads any more
