"""The PostgreSQL and the broker a command uses: those of the environment, else embedded ones."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

from launcher.broker import EmbeddedBroker
from launcher.console import step
from launcher.data_dir import DataDir
from launcher.paths import VENV
from launcher.postgres import EmbeddedPostgres


class Services:
    """A context: started on entry, stopped on exit (the database last). `env` is what to run in.

    Enter it under the data directory's lock. Raises Refusal when a service does not start.
    """

    def __init__(self, data_dir: DataDir, *, is_durable: bool = True) -> None:
        self.data_dir = data_dir
        self.has_new_database = False
        self._is_durable = is_durable
        self._postgres: EmbeddedPostgres | None = None
        self._broker: EmbeddedBroker | None = None
        self.env: dict[str, str] = {}

    def __enter__(self) -> Services:
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

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """The embedded services that run, by name."""
        embedded = {"postgres": self._postgres, "broker": self._broker}
        return {name: each.process for name, each in embedded.items() if each and each.process}

    def _start(self) -> None:
        self.data_dir.register.stop_leftovers()
        secrets = self.data_dir.secrets()
        self.env = {**environment(self.data_dir), "SECRET_KEY": secrets.site_key}
        self.env |= {name: os.environ[name] for name in ("SECRET_KEY",) if os.environ.get(name)}
        if not self.env.get("DATABASE_URL"):
            self._postgres = EmbeddedPostgres(self.data_dir, secrets, is_durable=self._is_durable)
            with step("Starting PostgreSQL"):
                self.has_new_database = self._postgres.start()
            self.env["DATABASE_URL"] = self._postgres.url
        if not self.env.get("REDIS_URL"):
            self._broker = EmbeddedBroker(self.data_dir, secrets)
            with step("Starting the broker"):
                self._broker.start()
            self.env["REDIS_URL"] = self._broker.url

    def _stop(self) -> None:
        if self._broker is not None:
            self._broker.stop()
        if self._postgres is not None:
            self._postgres.stop()
        self.data_dir.register.clear()


def environment(data_dir: DataDir) -> dict[str, str]:
    """The environment of a process of ours, but for the addresses of the services."""
    programs = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        **os.environ,
        "PATH": programs,
        "VIRTUAL_ENV": str(VENV),
        "PYTHONUNBUFFERED": "1",
        "ZEROHOUR_DATA": str(data_dir.path),
    }
