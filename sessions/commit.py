"""The commit: one transaction for all sessions of a runner, guarded by epoch and sequence.

A tick happened if and only if `last_tick_seq` moved. The guarded updates come first; sessions they
do not move belong to somebody else by now, and none of their rows is written.

Almost every session is quiet on almost every tick: nothing happened but a second. All of those that
stand at the same tick are moved by one statement whose parameters are a few long values, which
neither side takes apart into thousands (docs/performance.md).
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Model

from sessions import bulk, financials, metrics
from sessions.hosted import HostedSession
from sessions.models import BotSession, FinancialChunk, SessionRequest

_MOVE = """
WITH v AS (
    SELECT * FROM unnest(
        %(id)s::uuid[], %(epoch)s::int[], %(old_seq)s::int[], %(new_seq)s::int[],
        %(last_tick_at)s::timestamptz[], %(state)s::text[], %(state_seq)s::int[],
        %(tick_count)s::int[], %(error_count)s::int[], %(status)s::text[],
        %(status_reason)s::text[], %(started_at)s::timestamptz[], %(ended_at)s::timestamptz[],
        %(is_filled)s::bool[], %(added)s::bytea[]
    ) AS v(id, epoch, old_seq, new_seq, last_tick_at, state, state_seq, tick_count, error_count,
           status, status_reason, started_at, ended_at, is_filled, added)
), moved AS (
    UPDATE bot_sessions_botsession AS s
    SET state = COALESCE(v.state::jsonb, s.state),
        state_seq = COALESCE(v.state_seq, s.state_seq),
        error_count = v.error_count,
        -- A stop asked for meanwhile is not taken back by a status of before it.
        status = CASE WHEN s.status = 'killing'
                           AND v.status IN ('waiting_for_data', 'running', 'settling')
                      THEN s.status ELSE v.status END,
        status_reason = v.status_reason,
        started_at = v.started_at,
        ended_at = v.ended_at,
        poison_count = 0,  -- this owner lived
        lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        last_tick_seq = v.new_seq,
        last_tick_at = v.last_tick_at,
        tick_count = v.tick_count,
        tail = CASE WHEN v.is_filled THEN v.added ELSE v.added || s.tail END
    FROM v
    WHERE s.id = v.id AND s.epoch = v.epoch AND s.last_tick_seq = v.old_seq
        AND s.owner = %(owner)s
    RETURNING s.id
)
SELECT id FROM v WHERE id NOT IN (SELECT id FROM moved)
"""

# The same for sessions whose rows say nothing new but this; `added` is of all of them, one after
# another, `size` bytes of each. What is the same for all is a column too: held against a constant
# few rows seem to qualify, and PostgreSQL goes through all of `v` for each of thousands.
_MOVE_QUIET = """
WITH v AS (
    SELECT *, %(old_seq)s::int AS old_seq, %(owner)s::uuid AS owner
    FROM unnest(
        %(ids)s::uuid[], %(epochs)s::int[], %(tick_counts)s::int[], %(filled)s::bool[]
    ) WITH ORDINALITY AS v(id, epoch, tick_count, is_filled, place)
), moved AS (
    UPDATE bot_sessions_botsession AS s
    SET poison_count = 0,
        lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        last_tick_seq = %(new_seq)s,
        last_tick_at = %(last_tick_at)s,
        tick_count = v.tick_count,
        tail = substr(%(added)b::bytea, (v.place::int - 1) * %(size)s::int + 1, %(size)s::int)
            || CASE WHEN v.is_filled THEN '' ELSE s.tail END
    FROM v
    WHERE s.id = v.id AND s.epoch = v.epoch AND s.last_tick_seq = v.old_seq
        AND s.owner = v.owner
    RETURNING s.id
)
SELECT id FROM v WHERE id NOT IN (SELECT id FROM moved)
"""


def commit(sessions: Sequence[HostedSession], *, owner: uuid.UUID) -> list[HostedSession]:
    """Write what `sessions` have uncommitted. Returns the ones still ours; drop the others."""
    if not sessions:
        return []
    began = time.perf_counter()
    with transaction.atomic():
        lost = _move_all(sessions, owner)
        kept = [session for session in sessions if not lost or session.row.pk not in lost]
        _write_rows(kept)
        for session in kept:
            if session.uncommitted.finalized is not None:
                _finalize(session)
    metrics.note_commit(kept, lost=len(lost), took_seconds=time.perf_counter() - began)
    for session in kept:
        session.committed()
    return kept


def _move_all(sessions: Sequence[HostedSession], owner: uuid.UUID) -> set[uuid.UUID]:
    """Run the guarded updates. Returns the sessions that somebody else owns by now."""
    told: list[HostedSession] = []
    quiet: dict[tuple[Any, ...], list[HostedSession]] = defaultdict(list)
    for session in sessions:
        if session.needs_snapshot:
            told.append(session)
        else:
            from_seq, to_seq = session.uncommitted.from_seq, session.state.last_seq
            points = len(session.line.added)
            quiet[from_seq, to_seq, session.last_tick_at, points].append(session)
    lost = _move(told, owner) if told else set()
    for alike in quiet.values():
        lost |= _move_quiet(alike, owner)
    return lost


def _move(sessions: Sequence[HostedSession], owner: uuid.UUID) -> set[uuid.UUID]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for session in sessions:
        columns["id"].append(session.row.pk)
        columns["epoch"].append(session.row.epoch)
        columns["old_seq"].append(session.uncommitted.from_seq)
        columns["new_seq"].append(session.state.last_seq)
        columns["last_tick_at"].append(session.last_tick_at)
        columns["state"].append(json.dumps(session.state.as_json()))
        columns["state_seq"].append(session.state.last_seq)
        columns["tick_count"].append(session.state.tick_count)
        columns["error_count"].append(session.state.error_count)
        columns["status"].append(session.status.value)
        columns["status_reason"].append(session.row.status_reason)
        columns["started_at"].append(session.row.started_at)
        columns["ended_at"].append(session.row.ended_at)
        columns["is_filled"].append(session.line.is_filled)
        columns["added"].append(session.line.added_bytes)
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {**columns, "owner": owner, "lease_seconds": settings.LEASE_SECONDS})
        return {row[0] for row in cursor.fetchall()}


def _move_quiet(sessions: Sequence[HostedSession], owner: uuid.UUID) -> set[uuid.UUID]:
    """Of sessions that came from the same tick to the same tick with as many new points."""
    first = sessions[0]
    lines = [session.line for session in sessions]
    parameters = {
        "ids": _array([session.id_text for session in sessions]),
        "epochs": _array([str(session.row.epoch) for session in sessions]),
        "tick_counts": _array([str(session.state.tick_count) for session in sessions]),
        "filled": _array(["t" if line.is_filled else "f" for line in lines]),
        "added": b"".join([line.added_bytes for line in lines]),
        "size": financials.POINT_BYTES * len(first.line.added),
        "old_seq": first.uncommitted.from_seq,
        "new_seq": first.state.last_seq,
        "last_tick_at": first.last_tick_at,
        "owner": owner,
        "lease_seconds": settings.LEASE_SECONDS,
    }
    # A cursor of psycopg's own: its parameters travel beside the statement, not written into it.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_MOVE_QUIET, parameters)
        return {row[0] for row in cursor.fetchall()}


def _array(values: list[str]) -> str:
    """PostgreSQL's text form of an array of plain values."""
    return "{" + ",".join(values) + "}"


def _write_rows(sessions: Sequence[HostedSession]) -> None:
    new: dict[type[Model], list[Model]] = defaultdict(list)
    changes: dict[type[Model], dict[uuid.UUID, dict[str, Any]]] = defaultdict(dict)
    for session in sessions:
        pending = session.uncommitted
        for (model, _), row in pending.rows.new.items():
            new[model].append(row)
        for (model, pk), values in pending.rows.changes.items():
            changes[model][pk] = values
        if chunk := session.line.chunk:
            new[FinancialChunk].append(financials.chunk(session.row.pk, chunk))
        for request_id, seq in pending.obeyed:
            SessionRequest.objects.filter(pk=request_id).update(obeyed_seq=seq)
    for model, rows in new.items():
        bulk.insert(model, rows)
    for model, values_of in changes.items():
        bulk.update(model, values_of)


def _finalize(session: HostedSession) -> None:
    """The roll-up and, in the same transaction, the bot's carried balance. Then nobody owns it."""
    final = session.uncommitted.finalized
    assert final is not None
    BotSession.objects.filter(pk=session.row.pk).update(
        settled_at=session.finalized_at,
        owner=None,
        lease_until=None,
        **asdict(final),  # the event names its fields as the row its columns
    )
    # The model is looked up by name: sessions do not import bots.
    apps.get_model("bots", "Bot").objects.filter(pk=session.row.bot_id).update(
        # What was adjusted while it ran stays: the day's result is added to the balance.
        cash_balance_cents=F("cash_balance_cents") + final.total_pl_cents
    )
    financials.fold(session.row)
