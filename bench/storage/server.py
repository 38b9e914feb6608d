"""A PostgreSQL of the bench's own, and what it has done so far."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from launcher import service_user
from launcher.data_dir import DataDir
from launcher.postgres import EmbeddedPostgres

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Between two moments. CPU and wall in seconds."""

    wall: float
    client_cpu: float
    server_cpu: float
    wal_bytes: int


class Server:
    def __init__(self, connection: psycopg.Connection, postmaster_pid: int) -> None:
        self.connection = connection
        self.cursor = connection.cursor()
        self._postmaster_pid = postmaster_pid

    def mark(self) -> tuple[float, float, float, int]:
        # Its own connection in the same transaction: nothing else writes here.
        row = self.cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return time.perf_counter(), time.process_time(), self._cpu_seconds(), int(row[0])

    def since(self, mark: tuple[float, float, float, int]) -> Spent:
        now = self.mark()
        wall, client, server, wal = (b - a for a, b in zip(mark, now, strict=True))
        return Spent(wall, client, server, int(wal))

    def _cpu_seconds(self) -> float:
        """Of the postmaster and its children: backends, WAL writer, checkpointer."""
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            if self._postmaster_pid in (int(fields[1]), int(folder.name)):
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS_PER_SECOND


@contextmanager
def server() -> Iterator[Server]:
    """Durable as in production, in a directory that goes with it."""
    path = Path(tempfile.mkdtemp(prefix="zerohour-bench-"))
    data_dir = DataDir(path)
    data_dir.open()
    try:
        with data_dir.locked("bench"):
            postgres = EmbeddedPostgres(data_dir, data_dir.secrets())
            try:
                postgres.start()
                assert postgres.process is not None
                with psycopg.connect(postgres.url, autocommit=True) as connection:
                    yield Server(connection, postgres.process.pid)
            finally:
                postgres.stop()
                data_dir.register.clear()
    finally:
        service_user.forget_place(path)
        shutil.rmtree(path, ignore_errors=True)
