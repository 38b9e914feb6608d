"""The real system (web, market, workers, beat) as bin/up runs it, in a directory of its own."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType

import orjson

from launcher import processes, service_user
from launcher.data_dir import DataDir
from launcher.manage import manage_command
from launcher.paths import ROOT, VENV_PYTHON
from launcher.ports import free_port
from launcher.services import environment

NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "ZEROHOUR_DATA", "SECRET_KEY"}
READY_SECONDS = 120
STOP_SECONDS = 60


class Stack:
    """A context: `bin/up` with these options, ready on entry and gone on exit.

    `data` keeps a directory over several stacks (a restart); without it one is made and removed.
    `market_options` are further words for run_market, `env` further variables of every process.
    """

    def __init__(
        self,
        *,
        tape: Path | None = None,
        speed: float = 30,
        demo: bool = False,
        data: Path | None = None,
        until_close: bool = False,
        market_options: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        self._made = None if data else tempfile.TemporaryDirectory(prefix="zerohour-stack-")
        self.data_dir = DataDir(Path(self._made.name) if self._made else Path(str(data)))
        if data:  # kept for the next stack on it, but not beyond the tests
            atexit.register(service_user.forget_place, self.data_dir.path)
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.output_path = Path(tempfile.mkstemp(prefix="zerohour-up-", suffix=".log")[1])
        self._options = ["--port", str(self.port), "--data", str(self.data_dir.path)]
        self._options += ["--speed", str(speed)]
        self._options += ["--tape", str(tape)] if tape else []
        self._options += [] if demo else ["--no-demo"]
        self._options += ["--until-close"] if until_close else []
        self._more_env = {"ZEROHOUR_MARKET_OPTIONS": market_options, **(env or {})}
        self._up: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stack:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        with self.output_path.open("ab") as log:
            self._up = processes.spawn(
                [VENV_PYTHON, ROOT / "launcher", "up", *self._options],
                log=log,
                stop_signal=signal.SIGTERM,
                env={**inherited, **self._more_env},
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self.output_path.unlink(missing_ok=True)
        if self._made:
            service_user.forget_place(self.data_dir.path)
            self._made.cleanup()

    @property
    def env(self) -> dict[str, str]:
        """What a process of this stack runs in: addresses of its services, its data directory."""
        runtime = self.data_dir.read_runtime()
        assert runtime is not None, "the stack is not running"
        return environment(self.data_dir) | runtime.env

    def manage(self, *arguments: str, is_checked: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the stack. Raises CalledProcessError if it fails."""
        return subprocess.run(
            manage_command(arguments),
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=is_checked,
        )

    def pid(self, name: str) -> int:
        """The process of a Procfile line, or of "postgres" or "broker"."""
        rows = orjson.loads((self.data_dir.path / "processes.json").read_bytes())
        return next(row["pid"] for row in reversed(rows) if row["name"] == name)

    def output(self) -> str:
        """What bin/up has printed so far."""
        return self.output_path.read_text(errors="replace")

    def log(self, name: str) -> str:
        return (self.data_dir.logs / f"{name}.log").read_text(errors="replace")

    def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        request = urllib.request.Request(self.base_url + path, headers={"Authorization": token})
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()

    def wait(self, timeout_seconds: float) -> int:
        """The exit status, once bin/up ends by itself (--until-close)."""
        assert self._up is not None
        return self._up.wait(timeout=timeout_seconds)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """Ask bin/up to stop, as Ctrl-C does; returns its exit status."""
        assert self._up is not None
        processes.stop(self._up, signum, patience_seconds=STOP_SECONDS)
        return self._up.returncode

    def _wait_until_ready(self) -> None:
        assert self._up is not None
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            assert self._up.poll() is None, f"bin/up ended:\n{self.output()}"
            assert time.monotonic() < deadline, f"bin/up is not ready:\n{self.output()}"
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        runtime = self.data_dir.read_runtime()
        return runtime is not None and runtime.is_live()
