"""The commit: one transaction for all sessions of a runner, guarded by epoch and sequence.

A tick happened if and only if `last_tick_seq` moved. The guarded update comes first; sessions it
does not return belong to somebody else by now, and none of their rows is written.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Model

from sessions import financials, metrics
from sessions.hosted import HostedSession, Uncommitted
from sessions.models import BotSession, FinancialChunk, SessionRequest

_GUARDED_UPDATE = """
UPDATE bot_sessions_botsession AS s
SET last_tick_seq = v.new_seq,
    last_tick_at = v.last_tick_at,
    state = COALESCE(v.state::jsonb, s.state),
    state_seq = COALESCE(v.state_seq, s.state_seq),
    tick_count = v.tick_count,
    error_count = v.error_count,
    -- A stop asked for meanwhile is not taken back by a status of before it.
    status = CASE WHEN s.status = 'killing'
                       AND v.status IN ('waiting_for_data', 'running', 'settling')
                  THEN s.status ELSE v.status END,
    status_reason = v.status_reason,
    started_at = v.started_at,
    ended_at = v.ended_at,
    poison_count = 0,  -- this owner lived
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
FROM unnest(
    %(id)s::uuid[], %(epoch)s::int[], %(old_seq)s::int[], %(new_seq)s::int[],
    %(last_tick_at)s::timestamptz[], %(state)s::text[], %(state_seq)s::int[],
    %(tick_count)s::int[], %(error_count)s::int[], %(status)s::text[],
    %(status_reason)s::text[], %(started_at)s::timestamptz[], %(ended_at)s::timestamptz[]
) AS v(id, epoch, old_seq, new_seq, last_tick_at, state, state_seq, tick_count, error_count,
       status, status_reason, started_at, ended_at)
WHERE s.id = v.id AND s.epoch = v.epoch AND s.last_tick_seq = v.old_seq AND s.owner = %(owner)s
RETURNING s.id
"""


def commit(sessions: Sequence[HostedSession], *, owner: uuid.UUID) -> list[HostedSession]:
    """Write what `sessions` have uncommitted. Returns the ones still ours; drop the others."""
    if not sessions:
        return []
    began = time.perf_counter()
    with transaction.atomic():
        kept_ids = _move_sessions(sessions, owner)
        kept = [session for session in sessions if session.row.pk in kept_ids]
        _write_rows(kept)
        for session in kept:
            if session.uncommitted.finalized is not None:
                _finalize(session)
    metrics.note_commit(
        kept, lost=len(sessions) - len(kept), took_seconds=time.perf_counter() - began
    )
    for session in kept:
        session.row.poison_count = 0
        if session.needs_snapshot:
            session.state_seq = session.state.last_seq
            session.row.state = {}  # a snapshot exists now
        session.uncommitted = Uncommitted(from_seq=session.state.last_seq)
    return kept


def _move_sessions(sessions: Sequence[HostedSession], owner: uuid.UUID) -> set[uuid.UUID]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for session in sessions:
        snapshot = session.needs_snapshot
        columns["id"].append(session.row.pk)
        columns["epoch"].append(session.row.epoch)
        columns["old_seq"].append(session.uncommitted.from_seq)
        columns["new_seq"].append(session.state.last_seq)
        columns["last_tick_at"].append(session.last_tick_at)
        columns["state"].append(json.dumps(session.state.as_json()) if snapshot else None)
        columns["state_seq"].append(session.state.last_seq if snapshot else None)
        columns["tick_count"].append(session.state.tick_count)
        columns["error_count"].append(session.state.error_count)
        columns["status"].append(session.status.value)
        columns["status_reason"].append(session.row.status_reason)
        columns["started_at"].append(session.row.started_at)
        columns["ended_at"].append(session.row.ended_at)
    with connection.cursor() as cursor:
        cursor.execute(
            _GUARDED_UPDATE,
            {**columns, "owner": owner, "lease_seconds": settings.LEASE_SECONDS},
        )
        return {row[0] for row in cursor.fetchall()}


def _write_rows(sessions: Sequence[HostedSession]) -> None:
    new: dict[type[Model], list[Model]] = defaultdict(list)
    for session in sessions:
        pending = session.uncommitted
        for (model, _), row in pending.rows.new.items():
            new[model].append(row)
        if pending.points:
            new[FinancialChunk].append(financials.chunk(session.row.pk, pending.points))
    for model, rows in new.items():
        model._default_manager.bulk_create(rows)
    for session in sessions:
        for (model, pk), values in session.uncommitted.rows.changes.items():
            model._default_manager.filter(pk=pk).update(**values)
        for request_id, seq in session.uncommitted.obeyed:
            SessionRequest.objects.filter(pk=request_id).update(obeyed_seq=seq)


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
