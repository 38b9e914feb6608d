"""The real system as processes of ours to harm: PostgreSQL, broker, web, market, beat, workers.

Every process is a line of the Procfile. Nothing is restarted by itself: a drill that ends one
starts it again, as the machinery of a host would.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from launcher import processes, service_user
from launcher.broker import EmbeddedBroker
from launcher.data_dir import DataDir
from launcher.manage import manage_command
from launcher.paths import ROOT
from launcher.ports import LOOPBACK, free_port
from launcher.postgres import EmbeddedPostgres
from launcher.services import environment
from launcher.supervisor import read_procfile
from tests.drills.proxy import Proxy

PATIENCE_SECONDS = 60.0
LINES = {"session": "worker-sessions", "default": "worker"}  # else the name is the line's


@dataclass
class Started:
    """One incarnation of a process. `name` is its place: "session-2"; `app` its own name."""

    name: str
    app: str
    process: subprocess.Popen[bytes]
    log: Path
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


class System:
    """A context. `lease_seconds` is every runner's; the tape is run by `run_market`. What every
    process told is left in the folder `logs`, if one is named.
    """

    def __init__(self, *, lease_seconds: float, logs: Path | None = None) -> None:
        self._logs = logs
        self._folder = tempfile.TemporaryDirectory(prefix="zerohour-drill-")
        self.data_dir = DataDir(Path(self._folder.name))
        self.lease_seconds = lease_seconds
        self.port = free_port()
        self.base_url = f"http://{LOOPBACK}:{self.port}"
        self.running: dict[str, Started] = {}
        self._numbers = itertools.count(1)
        self.env: dict[str, str] = {}

    def __enter__(self) -> System:
        self.data_dir.open()
        secrets = self.data_dir.secrets()
        self.postgres = EmbeddedPostgres(self.data_dir, secrets)
        self.broker = EmbeddedBroker(self.data_dir, secrets)
        try:
            self._start_services(secrets.site_key)
        except BaseException:
            self.stop()
            raise
        return self

    def _start_services(self, site_key: str) -> None:
        self.postgres.start()
        self.broker.start()
        self.proxy = Proxy(self.database_port)
        self.env = {
            **environment(self.data_dir),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.broker.url,
            "SECRET_KEY": site_key,
            "DJANGO_SETTINGS_MODULE": "config.settings.base",
            "LEASE_SECONDS": f"{self.lease_seconds:g}",
            "PORT": str(self.port),
            "WEB_HOST": LOOPBACK,
        }
        self.manage("migrate", "--no-input")

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for started in self.running.values():
            if started.is_running:
                started.signal(signal.SIGCONT)
                started.signal(signal.SIGKILL)
            processes.finish(started.process, patience_seconds=10)
        self.running = {}
        if hasattr(self, "proxy"):
            self.proxy.close()
        self.broker.stop()
        self.postgres.stop()
        if self._logs is not None:
            shutil.copytree(self.data_dir.logs, self._logs, dirs_exist_ok=True)
        service_user.forget_place(self.data_dir.path)
        self._folder.cleanup()

    @property
    def database_port(self) -> int:
        port = self.postgres.secrets.postgres_port
        assert port is not None
        return port

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command. Raises CalledProcessError if it fails."""
        return subprocess.run(
            manage_command(arguments),
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

    # Processes --------------------------------------------------------------------------------

    def start(self, name: str, *options: str, **env: str) -> Started:
        """Start the process of that place. `options` go to tests.drills.process, where there are
        any: a process with something switched off, slowed down or spoilt. A place that ends in
        "-threads" runs its tasks twenty at a time.
        """
        assert name not in self.running or not self.running[name].is_running, name
        app = f"{name}#{next(self._numbers)}"
        line = name.rpartition("-")[0] or name
        command = read_procfile()[LINES.get(line, line)]
        if options:
            words = " ".join(options)
            command = command.replace("python -m celery", f"python -m tests.drills.process {words}")
            command = command.replace(
                "python manage.py", f"python -m tests.drills.process {words} manage.py"
            )
        if name.endswith("-threads"):
            command = command.replace("-P solo", "-P threads -c 20")
        log = self.data_dir.logs / f"{app}.log"
        with log.open("wb") as stream:
            process = processes.spawn(
                ["/bin/sh", "-c", f"exec env {command}"],
                log=stream,
                stop_signal=signal.SIGTERM,
                env={**self.env, "PGAPPNAME": app, **env},
                cwd=ROOT,
            )
        self.running[name] = Started(name, app, process, log, options, env)
        return self.running[name]

    def restart(self, name: str) -> Started:
        """Start it again as it was; what is left of it is ended."""
        old = self.running[name]
        processes.finish(old.process, patience_seconds=PATIENCE_SECONDS)
        return self.start(name, *old.options, **old.env)

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """Stop it and keep it stopped."""
        old = self.running.pop(name)
        if old.is_running:
            old.signal(number)
        processes.finish(old.process, patience_seconds=PATIENCE_SECONDS)

    def replace(self, name: str, *options: str, **env: str) -> Started:
        self.end(name)
        return self.start(name, *options, **env)

    def workers(self) -> list[Started]:
        """The session workers that run, by place."""
        found = [self.running[name] for name in sorted(self.running) if name.startswith("session-")]
        return [started for started in found if started.is_running]

    def wait_ready(self, names: Iterable[str]) -> None:
        """Until these Celery workers take messages."""
        for name in names:
            started = self.running[name]
            self._wait(lambda log=started.log: "ready." in log.read_text(errors="replace"), name)

    def wait_for_web(self) -> None:
        self._wait(self._answers, "web")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _wait(self, is_there: object, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_there():
            assert time.monotonic() < deadline, f"{what} is not ready"
            time.sleep(0.1)

    # Services ---------------------------------------------------------------------------------

    def postgres_pids(self) -> list[int]:
        """The server and its children."""
        assert self.postgres.process is not None
        server = self.postgres.process.pid
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        return [server, *map(int, children)]

    def restart_postgres(self, number: int = signal.SIGQUIT) -> None:
        """Immediate shutdown (recovery at the next start), or what another signal does."""
        process = self.postgres.process
        assert process is not None
        if process.poll() is None:
            process.send_signal(number)
        processes.finish(process, patience_seconds=PATIENCE_SECONDS)
        port = self.database_port
        self.postgres.start()
        assert self.database_port == port, "PostgreSQL came back on another port"

    def stop_broker(self, number: int) -> None:
        process = self.broker.process
        assert process is not None
        process.send_signal(number)
        processes.finish(process, patience_seconds=PATIENCE_SECONDS)

    def start_broker(self) -> None:
        port = self.broker.secrets.broker_port
        self.broker.start()
        assert self.broker.secrets.broker_port == port, "the broker came back on another port"


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
