"""Who falls silent in the middle of a statement is cut off, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.pq import ExecStatus

from sessions import ownership, services
from sessions.models import BotSession
from sessions.silence import SILENCE_SECONDS, SilentWriters
from tests.sessions.conftest import drive, put_spread
from tests.sessions.test_ownership import expire_leases

pytestmark = pytest.mark.django_db(transaction=True)

COPY = "COPY elsewhere FROM STDIN"
MUCH = 300  # rows that together are more than the driver keeps back
LONG = "x" * 1000


@pytest.fixture
def session(alice, make_bot, open_market, runner) -> BotSession:
    """One that somebody drives, with the time-outs of a long-running process."""
    session = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    drive(runner())
    return BotSession.objects.get(pk=session.pk)


@pytest.fixture
def writer() -> Iterator[psycopg.Connection]:
    """Another process of ours, as the Procfile starts it."""
    limits = {**settings.DATABASE_TIMEOUTS, "statement_timeout": "500ms"}
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    given = connection.get_connection_params()
    kept = {name: given[name] for name in ("host", "port", "user", "password", "dbname")}
    with psycopg.connect(**kept, options=options) as own:
        own.execute("CREATE TEMPORARY TABLE elsewhere (words text)")
        own.commit()
        yield own
        own.close()  # whatever it is in the middle of


def change(writer: psycopg.Connection, session_id: UUID) -> None:
    writer.execute("UPDATE bot_sessions_botsession SET epoch = epoch WHERE id = %s", [session_id])


def looked_on(seconds: float, looks: int = 7) -> None:
    """As a runner that looks `looks` times in so many seconds."""
    silent = SilentWriters()
    for look in range(looks):
        silent.cut_off(now=1_000 + seconds * look / (looks - 1))


def wait_event(writer: psycopg.Connection) -> str | None:
    """What its process of the server waits for; "gone" where there is none any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", [writer.info.backend_pid]
        )
        row = cursor.fetchone()
    return row[0] if row else "gone"


def comes_to(writer: psycopg.Connection, event: str, patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while wait_event(writer) != event:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_cut_off(writer: psycopg.Connection) -> bool:
    return comes_to(writer, "gone", 20.0)


def is_left_alone(writer: psycopg.Connection) -> bool:
    return not comes_to(writer, "gone", 0.5)


def wait_until_read(writer: psycopg.Connection) -> None:
    """Until the server waits for more, whatever it was sent."""
    assert comes_to(writer, "ClientRead", 20.0)


def begin_copy(writer: psycopg.Connection) -> None:
    """The server waits for rows."""
    assert writer.pgconn.exec_(COPY.encode()).status == ExecStatus.COPY_IN
    wait_until_read(writer)


def test_no_time_out_of_the_databases_ends_a_copy(session, writer):
    change(writer, session.pk)
    begin_copy(writer)

    time.sleep(1.0)  # twice the statement's time-out

    assert is_left_alone(writer)


def test_a_silent_writer_is_cut_off_and_its_sessions_can_be_claimed(session, writer, runner):
    expire_leases()
    change(writer, session.pk)
    begin_copy(writer)
    assert ownership.claim(owner=runner().owner, room=10) == []

    looked_on(SILENCE_SECONDS)

    assert is_cut_off(writer)
    claimed = ownership.claim(owner=runner().owner, room=10)
    assert [row.pk for row in claimed] == [session.pk]


def test_a_runner_looks_by_itself(session, writer, runner, monkeypatch):
    expire_leases()
    change(writer, session.pk)
    begin_copy(writer)
    other = runner()
    other.turn()
    monkeypatch.setattr("sessions.silence.SILENCE_SECONDS", 0.0)

    other._claimed_at = 0.0
    other.turn()

    assert is_cut_off(writer)
    drive(other)
    assert BotSession.objects.get(pk=session.pk).owner == other.owner


def test_it_has_its_time(session, writer):
    change(writer, session.pk)
    begin_copy(writer)

    looked_on(SILENCE_SECONDS - 0.1)

    assert is_left_alone(writer)


def test_who_goes_on_sending_is_left_alone(session, writer):
    change(writer, session.pk)
    writer.execute("SET LOCAL statement_timeout = 0")
    silent = SilentWriters()
    with writer.cursor().copy(COPY) as copy:
        for now in range(8):  # seconds
            for _ in range(MUCH):
                copy.write_row([LONG])
            wait_until_read(writer)
            silent.cut_off(now=float(now))

    assert writer.execute("SELECT count(*) FROM elsewhere").fetchone() == (8 * MUCH,)


def test_who_has_changed_no_session_is_left_alone(session, writer):
    writer.execute("SELECT * FROM bot_sessions_botsession")
    begin_copy(writer)

    looked_on(2 * SILENCE_SECONDS)

    assert is_left_alone(writer)
