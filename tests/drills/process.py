"""A process of the system with something changed: `python -m tests.drills.process WORDS… COMMAND`.

    without:GUARD   one of GUARDS is switched off (a control: the drill must fail)
    slow            every commit stays open for some milliseconds before its rows are written, and
                    every COPY before its first
    clock           STEP_AHEAD steps the wall clock an hour ahead, STEP_BACK an hour back
    feed:SEED:COUNT the tape has COUNT bad places

The rest is the command: nothing for Celery's own arguments, or `manage.py` and its.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import nullcontext
from datetime import timedelta
from types import FrameType
from typing import Any

WORDS = ("without:", "slow", "clock", "feed:")
SLOW_COMMIT_SECONDS = 0.03
SLOW_COPY_SECONDS = 0.003
# Celery has uses of its own for SIGUSR1 and SIGUSR2.
STEP_AHEAD, STEP_BACK = signal.SIGRTMIN + 1, signal.SIGRTMIN + 2


def main(argv: list[str]) -> None:
    words = [word for word in argv if word.startswith(WORDS)]
    rest = argv[len(words) :]
    import django  # noqa: PLC0415  # the settings come from the environment

    if rest[:1] != ["manage.py"]:
        import config.celery  # noqa: F401, PLC0415
    django.setup()
    for word in words:
        name, _, value = word.partition(":")
        CHANGES[name](value)
    if rest[:1] == ["manage.py"]:
        from django.core.management import execute_from_command_line  # noqa: PLC0415

        execute_from_command_line(rest)
        return
    from celery.__main__ import main as celery  # noqa: PLC0415

    sys.argv = ["celery", *rest]
    celery()


def slow(_value: str) -> None:
    from psycopg import Copy  # noqa: PLC0415

    from sessions import commit  # noqa: PLC0415

    write_rows = commit._write_rows

    def write_slowly(sessions: Any) -> None:
        time.sleep(SLOW_COMMIT_SECONDS)
        write_rows(sessions)

    commit._write_rows = write_slowly
    enter = Copy.__enter__

    def enter_slowly(self: Any) -> Any:
        entered = enter(self)
        time.sleep(SLOW_COPY_SECONDS)
        return entered

    Copy.__enter__ = enter_slowly  # type: ignore[method-assign]  # that is what this file is for


def clock(_value: str) -> None:
    import time_machine  # noqa: PLC0415

    travels: list[Any] = []

    def step(number: int, _frame: FrameType | None) -> None:
        while travels:
            travels.pop().stop()
        hours = 1 if number == STEP_AHEAD else -1
        travel = time_machine.travel(timedelta(hours=hours) + _now(), tick=True)
        travel.start()
        travels.append(travel)

    signal.signal(STEP_AHEAD, step)
    signal.signal(STEP_BACK, step)


def _now() -> Any:
    from django.utils import timezone  # noqa: PLC0415

    return timezone.now()


def feed(value: str) -> None:
    from marketdata.feeds.replay import ReplayFeed  # noqa: PLC0415
    from tests.drills.bad_feed import spoilt  # noqa: PLC0415

    seed, _, count = value.partition(":")
    ticks = ReplayFeed.ticks
    ReplayFeed.ticks = lambda self, after_seq: (
        tick for tick in spoilt(list(ticks(self, 0)), int(seed), int(count))[after_seq:]
    )


# Guards, switched off ---------------------------------------------------------------------------


def without(guard: str) -> None:
    GUARDS[guard]()


def no_transaction() -> None:
    """A commit's statements stand for themselves."""
    from sessions import commit  # noqa: PLC0415

    class Bare:
        atomic = staticmethod(nullcontext)

    commit.transaction = Bare


def no_fence() -> None:
    """Whoever believes to own a session may write."""
    from sessions import bulk, commit  # noqa: PLC0415
    from tests import unfenced  # noqa: PLC0415

    for name, statement in unfenced.statements().items():
        setattr(commit, name, statement)

    def insert(model: Any, rows: Any) -> None:
        """Without the second wall: rows that are there already are passed over."""
        model._default_manager.bulk_create(rows, ignore_conflicts=True)

    bulk.insert = insert


def no_lease() -> None:
    """A claim takes what others hold."""
    from sessions import ownership  # noqa: PLC0415

    held = "AND (lease_until IS NULL OR lease_until < clock_timestamp())"
    assert held in ownership._CLAIM
    ownership._CLAIM = ownership._CLAIM.replace(held, "")


def no_polling() -> None:
    """Runners trust that Redis wakes them up."""
    from sessions import wakeups  # noqa: PLC0415

    wakeups.POLL_SECONDS = 3600.0


def no_reconnect() -> None:
    """A runner keeps its connection and what it remembers, whatever the database says."""
    from sessions.runner import Runner  # noqa: PLC0415

    Runner._forget = lambda self: None


def no_reading() -> None:
    """A commit without an answer is taken for done, and nothing tells the difference."""
    from django.db import Error as DatabaseError  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from sessions import runner  # noqa: PLC0415

    no_fence()
    commit = runner.commit

    def trust(sessions: Any, *, owner: Any) -> Any:
        try:
            return commit(sessions, owner=owner)
        except DatabaseError:
            connection.close()
            for session in sessions:
                session.committed()
            return list(sessions)

    runner.commit = trust


def no_own_time() -> None:
    """Leases by the worker's clock instead of the database's."""
    from sessions import commit, ownership  # noqa: PLC0415

    def by_this_clock(module: Any, text_name: str, function_name: str) -> None:
        text, function = getattr(module, text_name), getattr(module, function_name)

        def told(*given: Any, **named: Any) -> Any:
            now = f"to_timestamp({time.time():.6f})"
            setattr(module, text_name, text.replace("clock_timestamp()", now))
            return function(*given, **named)

        setattr(module, function_name, told)

    by_this_clock(ownership, "_CLAIM", "claim")
    by_this_clock(ownership, "_RENEW", "renew")
    by_this_clock(commit, "_MOVE", "_move")
    by_this_clock(commit, "_MOVE_QUIET", "_move_quiet")


def no_hand_over() -> None:
    """A runner that is asked to stop keeps its leases to their end."""
    from sessions import ownership  # noqa: PLC0415

    ownership.release = lambda *, owners: None


def no_claiming() -> None:
    """A runner takes what was never held or was let go of, not what an expired lease leaves."""
    from sessions import ownership  # noqa: PLC0415

    expired = "(lease_until IS NULL OR lease_until < clock_timestamp())"
    assert expired in ownership._CLAIM
    ownership._CLAIM = ownership._CLAIM.replace(expired, "lease_until IS NULL")


def no_resuming() -> None:
    """A market that starts again goes on where the feed is, not where the log ends."""
    from marketdata.feeds.replay import ReplayFeed  # noqa: PLC0415

    ticks = ReplayFeed.ticks
    ReplayFeed.ticks = lambda self, after_seq: ticks(self, after_seq + 7 if after_seq else 0)


def no_validation() -> None:
    """Ticks enter the log as they come."""
    from marketdata.validate import Validator  # noqa: PLC0415

    Validator._refusal = lambda self, tick: None


def no_cutting_off() -> None:
    """A process frozen in the middle of a statement keeps its locks."""
    from sessions.silence import SilentWriters  # noqa: PLC0415

    SilentWriters.cut_off = lambda self, *, now: None


def no_time_outs() -> None:
    """A frozen process keeps its locks. Before the first connection, as the settings are read."""
    from django.conf import settings  # noqa: PLC0415

    settings.DATABASES["default"]["OPTIONS"].pop("options", None)


GUARDS = {
    "transaction": no_transaction,
    "fence": no_fence,
    "lease": no_lease,
    "polling": no_polling,
    "reconnect": no_reconnect,
    "reading": no_reading,
    "own-time": no_own_time,
    "hand-over": no_hand_over,
    "claiming": no_claiming,
    "resuming": no_resuming,
    "validation": no_validation,
    "time-outs": no_time_outs,
    "cutting-off": no_cutting_off,
}
CHANGES = {"slow": slow, "clock": clock, "feed": feed, "without": without}

if __name__ == "__main__":
    main(sys.argv[1:])
