"""The real stack for a measurement: services of its own, the Procfile's processes, all known by id.

PostgreSQL and the broker are the launcher's embedded ones with their production settings (fsync
on), but for `track_commit_timestamp`, which makes the time of every commit readable afterwards.
Each process names its database connections after itself, so that their cost can be told apart.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psycopg

from launcher import processes, service_user
from launcher.console import progress, step
from launcher.data_dir import DataDir
from launcher.manage import run_manage
from launcher.paths import ROOT
from launcher.ports import free_port
from launcher.services import Services
from launcher.supervisor import read_procfile
from launcher.up import answers

NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "ZEROHOUR_DATA", "SECRET_KEY")
READY_PATIENCE_SECONDS = 90
STOP_PATIENCE_SECONDS = 30
LEAD_SECONDS = 2
RUNNER = "worker-sessions"
MARKET_COMMAND = "python manage.py run_market"
CELERY_COMMAND = "python -m celery"


class SystemFailed(Exception):
    """A process of the system ended or never came up."""


@dataclass(frozen=True)
class Plan:
    """`capacity` is how many sessions one worker takes; `profile` a file for the first worker."""

    workers: int = 1
    web: int = 1
    quotes: int = 400
    speed: float = 1.0
    capacity: int = 5_000
    profile: Path | None = None


class System:
    """A context: everything runs on entry, and nothing is left on exit."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="zerohour-bench-"))
        self.data_dir = DataDir(self._folder)
        self._services: Services | None = None
        self.env: dict[str, str] = {}

    def __enter__(self) -> System:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def database_url(self) -> str:
        return self.env["DATABASE_URL"]

    def pids(self) -> dict[str, int]:
        """The processes of the Procfile by name, and "postgres" and "broker"."""
        assert self._services is not None
        services = self._services.processes()
        return {name: process.pid for name, process in {**self.running, **services}.items()}

    def workers(self) -> list[str]:
        return [name for name in self.running if name.startswith(RUNNER)]

    def require_health(self) -> None:
        """Raises SystemFailed where a process has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise SystemFailed(
                    f"{name} ended (status {process.returncode}):\n{self.tail(name)}"
                )

    def tail(self, name: str, lines: int = 30) -> str:
        log = (self.data_dir.logs / f"{name}.log").read_text(errors="replace")
        return "\n".join(log.splitlines()[-lines:])

    def complaints(self) -> dict[str, str]:
        """How many warnings and errors each process wrote, and the last, where it wrote any."""
        found: dict[str, str] = {}
        for path in sorted(self.data_dir.logs.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            bad = [line for line in lines if " warning " in line or " error " in line]
            if bad:
                found[path.stem] = f"{len(bad)}, the last: {bad[-1]}"
        return found

    def signal_worker(self, number: int) -> None:
        """To the profiled worker: see bench.live.profiled."""
        self.running[f"{RUNNER}-1"].send_signal(number)

    # Starting and stopping -------------------------------------------------------------------

    def _start(self) -> None:
        for name in NOT_INHERITED:
            os.environ.pop(name, None)
        self.data_dir.open()
        with Services(self.data_dir) as once:
            _have_commit_times_kept(once.env["DATABASE_URL"])
        services = Services(self.data_dir)
        services.__enter__()
        self._services = services
        self.env = services.env | {
            "PORT": str(self.port),
            "WEB_HOST": "127.0.0.1",
            "ZEROHOUR_SPEED": f"{self.plan.speed:g}",
            "ZEROHOUR_MARKET_OPTIONS": f"--lead-seconds {LEAD_SECONDS}",
            "SESSIONS_PER_RUNNER": str(self.plan.capacity),
            "SESSION_CAPACITY": "10000000",
            "USER_RATE_BURST": "10000000",
            "PROMETHEUS_MULTIPROC_DIR": str(self.data_dir.fresh_metrics()),
        }
        with step("Preparing the database"):
            run_manage(["migrate", "--no-input"], self.env)
        for name, command in self._commands().items():
            self._spawn(name, command)
        self._wait_until_ready()

    def _commands(self) -> dict[str, str]:
        """The Procfile's lines; the market with our chain, a runner line for each worker."""
        lines = read_procfile()
        market = lines.pop("market")
        ours = f"python -m bench.live.market {self.plan.quotes}"
        lines["market"] = market.replace(MARKET_COMMAND, ours)
        if self.plan.web > 1:
            lines["web"] += f" --workers {self.plan.web}"
        runner = lines.pop(RUNNER)
        for number in range(1, self.plan.workers + 1):
            lines[f"{RUNNER}-{number}"] = runner
        if self.plan.profile is not None:
            profiled = f"python -m bench.live.profiled {self.plan.profile.absolute()}"
            lines[f"{RUNNER}-1"] = runner.replace(CELERY_COMMAND, profiled)
        assert ours in lines["market"], "the Procfile starts the market otherwise"
        return lines

    def _spawn(self, name: str, command: str) -> None:
        with (self.data_dir.logs / f"{name}.log").open("ab") as log:
            process = processes.spawn(
                ["/bin/sh", "-c", f"exec env {command}"],
                log=log,
                stop_signal=signal.SIGTERM,
                env={**self.env, "PGAPPNAME": name},
                cwd=ROOT,
            )
        self.data_dir.register.add(name, process.pid, stop_signal=signal.SIGTERM)
        self.running[name] = process

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_PATIENCE_SECONDS
        with step("Starting the processes"):
            while not answers(f"{self.base_url}/health"):
                self.require_health()
                if time.monotonic() > deadline:
                    raise SystemFailed(f"the web server does not answer:\n{self.tail('web')}")
                time.sleep(0.1)

    def _stop(self) -> None:
        progress("  Stopping …")
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_SECONDS
        for process in self.running.values():
            processes.finish(process, patience_seconds=max(0.0, deadline - time.monotonic()))
        if self._services is not None:
            self._services.__exit__(None, None, None)
            self._services = None
        service_user.forget_place(self.data_dir.path)
        shutil.rmtree(self._folder, ignore_errors=True)


def _have_commit_times_kept(database_url: str) -> None:
    """From the server's next start on."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("ALTER SYSTEM SET track_commit_timestamp = on")
