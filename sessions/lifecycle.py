"""The life of a session: the only list of statuses and the only table of moves (contract.md
section 5).
"""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    SCHEDULED = "scheduled"
    REGISTERING = "registering"
    WAITING_FOR_DATA = "waiting_for_data"
    RUNNING = "running"
    SETTLING = "settling"
    KILLING = "killing"
    COMPLETED = "completed"
    HALTED = "halted"
    KILLED = "killed"
    FAILED = "failed"


S = Status

NEXT: dict[Status, frozenset[Status]] = {
    S.SCHEDULED: frozenset({S.REGISTERING, S.KILLING, S.FAILED}),
    S.REGISTERING: frozenset({S.WAITING_FOR_DATA, S.KILLING, S.FAILED}),
    S.WAITING_FOR_DATA: frozenset({S.RUNNING, S.KILLING, S.FAILED}),
    S.RUNNING: frozenset({S.SETTLING, S.HALTED, S.KILLING, S.FAILED}),
    # A stop may be asked for while the end is already being written: then that end stands.
    S.KILLING: frozenset({S.KILLED, S.FAILED, S.HALTED, S.COMPLETED}),
    S.SETTLING: frozenset({S.COMPLETED, S.KILLING, S.FAILED}),
}
TERMINAL: frozenset[Status] = frozenset(Status) - NEXT.keys()
LIVE: frozenset[Status] = frozenset(NEXT)


class IllegalTransition(Exception):
    """A move that is not in the table: a bug of the caller."""


def moves(source: str, target: str) -> list[Status]:
    """The statuses passed on the shortest way from `source` to `target`, the latter included.

    A batch of ticks may cross several at once. Raises IllegalTransition where no way leads.
    """
    paths: list[list[Status]] = [[Status(source)]]
    for path in paths:
        if path[-1] == target:
            return path[1:]
        paths += [[*path, after] for after in sorted(NEXT.get(path[-1], ())) if after not in path]
    raise IllegalTransition(f"{source} -> {target}")
