"""The data directory: everything that survives a stop, and who is using it.

.zerohour        marks the directory as ours; --reset deletes nothing without it
lock             held (flock) by the one bin/up or bin/manage that runs services here
secrets.json     passwords of the embedded services, the site's key, their last ports (0600)
runtime.json     the environment of the running services, for bin/manage (0600)
processes.json   what is running, should we be killed
postgres/ broker/ tapes/ logs/
metrics/         what each process counts, for /metrics; begins anew with every start
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from launcher import service_user
from launcher.console import Refusal
from launcher.processes import Register, birth

MARKER = ".zerohour"
_MADE_WITHOUT_US = {"tapes"}  # manage.py may run without the launcher


@dataclass
class Secrets:
    """Made at the first start. The ports are kept so that addresses stay the same."""

    site_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    postgres_password: str = field(default_factory=lambda: secrets.token_hex(24))
    broker_password: str = field(default_factory=lambda: secrets.token_hex(24))
    postgres_port: int | None = None
    broker_port: int | None = None


@dataclass(frozen=True)
class Runtime:
    """What others need to know of a bin/up that is ready: `env` holds addresses and keys."""

    pid: int
    birth: str
    base_url: str
    env: dict[str, str]

    def is_live(self) -> bool:
        return birth(self.pid) == self.birth


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.register = Register(self.path / "processes.json")

    def open(self) -> None:
        """Create the directory, or make sure that it is ours. Raises Refusal when it is not."""
        if self.path.exists() and not self._may_be_ours():
            raise Refusal(
                f"{self.path} holds something else than Zerohour's data: "
                "name an empty or a new directory with --data."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        # Another user runs PostgreSQL when we are root, and must be able to pass through.
        self.path.chmod(0o711 if service_user.is_needed() else 0o700)
        (self.path / MARKER).touch()
        for name in ("logs", "tapes"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)

    def _may_be_ours(self) -> bool:
        names = set(os.listdir(self.path))
        return MARKER in names or names <= _MADE_WITHOUT_US

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def fresh_metrics(self) -> Path:
        """The directory of the processes' counters, emptied of what ended processes counted."""
        path = self.path / "metrics"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return path

    @contextmanager
    def locked(self, command: str) -> Iterator[None]:
        """Be the only one to run services here. Raises Refusal naming the one that already does.

        The kernel drops the lock of a process that dies, so a stale one cannot stay.
        """
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refusal(
                    f"{self.holder()} is using {self.path}: "
                    "stop it first, or name another directory with --data (and --port)."
                ) from None
            lock.truncate(0)
            lock.write(f"bin/{command} (process {os.getpid()})")
            lock.flush()
            yield

    def holder(self) -> str:
        return (self.path / "lock").read_text() or "another command"

    def is_locked(self) -> bool:
        path = self.path / "lock"
        if not path.exists():
            return False
        with path.open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def require_mark(self) -> None:
        """Raises Refusal for a directory that `open` has not made ours."""
        if not (self.path / MARKER).exists():
            raise Refusal(f"{self.path} does not bear Zerohour's mark: nothing was deleted.")

    def reset(self) -> list[str]:
        """Delete what the directory holds, but for its mark and lock; returns what went.

        Call it after `require_mark`, under `locked`.
        """
        self.register.stop_leftovers()
        service_user.forget_place(self.path)
        gone = sorted(set(os.listdir(self.path)) - {MARKER, "lock"})
        for name in gone:
            path = self.path / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return gone

    def secrets(self) -> Secrets:
        path = self.path / "secrets.json"
        if path.exists():
            return Secrets(**json.loads(path.read_text()))
        service_user.forget_place(self.path)  # of a directory of this name, deleted by hand
        fresh = Secrets()
        self.keep_secrets(fresh)
        return fresh

    def keep_secrets(self, values: Secrets) -> None:
        self._write_private("secrets.json", asdict(values))

    def write_runtime(self, runtime: Runtime) -> None:
        self._write_private("runtime.json", asdict(runtime))

    def read_runtime(self) -> Runtime | None:
        path = self.path / "runtime.json"
        return Runtime(**json.loads(path.read_text())) if path.exists() else None

    def clear_runtime(self) -> None:
        (self.path / "runtime.json").unlink(missing_ok=True)

    def _write_private(self, name: str, values: dict[str, Any]) -> None:
        partial = self.path / f"{name}.partial"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(values, file, indent=1)
        partial.replace(self.path / name)
