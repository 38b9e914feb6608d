"""What is done to processes, at any statement they send and at any commit, by seed.

It sits at the edge of Django's connection, so it knows nothing of the code it harms: a process is
killed before or after a statement, loses its connection there (so the answer is lost), or stands
frozen, also inside a transaction; the same before and after COMMIT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import psycopg
from django.db import OperationalError, connection, connections
from psycopg.pq import TransactionStatus

from tests.simulator.scheduler import Killed, Scheduler

STATEMENTS_BETWEEN = 50  # on average, from the start of a process to its harm
COMMITS_BETWEEN = 7
IDLE_IN_TRANSACTION_SECONDS = 3.0  # what production allows a frozen transaction
KINDS = ("kill", "kill", "lose", "freeze", "freeze")
LOCK_TIMEOUT = "15ms"


class Harm:
    """The harm of one process incarnation after the other. `counts` says what was done."""

    def __init__(self, scheduler: Scheduler, clock: Callable[[], float]) -> None:
        self._scheduler = scheduler
        self._clock = clock  # the database's own, in Unix seconds
        self.counts: Counter[str] = Counter()
        self.is_on = False
        self.rng = Random(0)
        self.has_committed = False
        self._plans: dict[str, tuple[int, int]] = {}

    def begin(self, seed: int) -> None:
        self.rng, self.is_on, self.has_committed = Random(seed), True, False
        self.counts, self._plans = Counter(), {}

    def plan(self, name: str, *, patience: float = 1.0) -> None:
        """When the next harm befalls this process, counted in its statements and commits."""
        after = self.rng.expovariate(1 / (STATEMENTS_BETWEEN * patience))
        commits = self.rng.expovariate(1 / (COMMITS_BETWEEN * patience))
        self._plans[name] = (1 + int(after), 1 + int(commits))

    def attach(self) -> None:
        """Stand between this thread and its database."""
        wrapper = connections["default"]
        if self._around not in wrapper.execute_wrappers:
            wrapper.execute_wrappers.append(self._around)
            # There is no hook around COMMIT.
            wrapper._commit = self._commit  # type: ignore[method-assign]

    # At the edge -----------------------------------------------------------------------------

    def _around(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sql = sql.replace("clock_timestamp()", f"to_timestamp({self._clock():.6f})")
        process = self._scheduler.current
        kind = "" if process is None else self._due(process.name, 0)
        is_before = bool(kind) and self.rng.random() < 0.5
        if is_before:
            self._do(kind, "before a statement")
        answer = execute(sql, params, many, context)
        if kind and not is_before:
            self._do(kind, "after a statement")
        return answer

    def cursor(self) -> type[psycopg.Cursor[Any]]:
        """For statements that pass by Django's cursors: those are harmed as well."""
        harm = self

        class Harmed(psycopg.Cursor[Any]):
            def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
                run = super().execute

                def execute(sql: str, given: Any, *_wrapping: object) -> Any:
                    return run(sql, given, **more)

                return harm._around(execute, query, params, False, None)

        return Harmed

    def around_copy(self, copy: Callable[..., None]) -> Callable[..., None]:
        """A COPY passes by them too."""

        def execute(_sql: str, given: Any, *_wrapping: object) -> None:
            copy(*given)

        return lambda *given: self._around(execute, "", given, False, None)

    def _commit(self) -> None:
        wrapper = connections["default"]
        if wrapper.connection is None:
            return
        process = self._scheduler.current
        kind = "" if process is None else self._due(process.name, 1)
        is_before = bool(kind) and self.rng.random() < 0.5
        if is_before:
            self._do(kind, "before COMMIT")
        with wrapper.wrap_database_errors:
            wrapper.connection.commit()
        self.has_committed = True
        if kind and not is_before:
            self._do(kind, "after COMMIT")

    def _due(self, name: str, place: int) -> str:
        plan = list(self._plans.get(name, (0, 0)))
        if not self.is_on or not plan[place]:
            return ""
        plan[place] -= 1
        self._plans[name] = (plan[0], plan[1])
        if plan[place]:
            return ""
        self.plan(name)
        return self.rng.choice(KINDS)

    def _do(self, kind: str, where: str) -> None:
        self.counts[f"{kind} {where}"] += 1
        if kind == "freeze":
            self._freeze()
            return
        _cut()
        if kind == "kill":
            raise Killed
        raise OperationalError("the connection was lost")

    def _freeze(self) -> None:
        """SIGSTOP … SIGCONT. PostgreSQL ends a transaction that stands still for too long."""
        seconds = self.rng.choice([0.3, 4.0, 7.0, 9.0, 14.0])
        raw = connection.connection
        is_begun = raw is not None and raw.info.transaction_status != TransactionStatus.IDLE
        if is_begun and seconds > IDLE_IN_TRANSACTION_SECONDS:
            self._scheduler.pause(IDLE_IN_TRANSACTION_SECONDS)
            _cut()
            seconds -= IDLE_IN_TRANSACTION_SECONDS
        self._scheduler.pause(seconds)


def _cut() -> None:
    """The server sees the connection go: what is open is rolled back."""
    raw = connections["default"].connection
    if raw is not None:
        raw.close()


def short_tempered(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Whoever waits for a lock of a frozen process gives up at once instead of in seconds."""
    with connection.connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
