"""`bin/zerohour` as a person or a script runs it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launcher.client import SOURCE
from launcher.paths import VENV_PYTHON

COMMAND = [str(VENV_PYTHON), "-m", "zerohour_client.cli"]


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """One user's shell: a server, and a file for tokens."""

    url: str
    tokens: Path
    more_env: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "ZEROHOUR" not in name}
        return {
            **kept,
            "PYTHONPATH": str(SOURCE),
            "ZEROHOUR_URL": self.url,
            "ZEROHOUR_CONFIG": str(self.tokens),
            "COLUMNS": "140",
            "TERM": "xterm",
            **self.more_env,
        }

    def run(self, *words: str, given: str = "") -> Said:
        done = subprocess.run(
            [*COMMAND, *words],
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str, given: str = "") -> Any:
        """What it prints for programs. Asserts that it succeeds."""
        said = self.run(*words, "--json", given=given)
        assert said.status == 0, f"{' '.join(words)}: {said}"
        return said.json

    def start(self, *words: str) -> subprocess.Popen[str]:
        """With its output in a pipe."""
        return subprocess.Popen(
            [*COMMAND, *words],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start_on_a_screen(self, *words: str) -> Screen:
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "wb") as screen:
            process = subprocess.Popen(
                [*COMMAND, *words], env=self.env, stdin=screen, stdout=screen, stderr=screen
            )
        return Screen(process, ours)


class Screen:
    """A program on a terminal of its own, and everything it has drawn there."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self._drawn: list[bytes] = []
        self._reader = threading.Thread(target=self._read, args=(handle,), daemon=True)
        self._reader.start()

    def wait(self) -> str:
        """Everything drawn, once the program has ended."""
        self.process.wait(timeout=60)
        self._reader.join(timeout=10)
        return b"".join(self._drawn).decode(errors="replace")

    def _read(self, handle: int) -> None:
        with os.fdopen(handle, "rb", buffering=0) as screen:
            while True:
                try:
                    content = screen.read(4096)
                except OSError:  # the other end is closed
                    return
                self._drawn.append(content)
