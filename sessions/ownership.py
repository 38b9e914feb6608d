"""Who runs a session: leases and epochs (architecture section 4, docs/ownership.md).

A lease says who may be working; its expiry permits a takeover. What stops a runner that lost its
lease without noticing is the epoch: it grows with every claim and every commit is guarded by it.
Times are the database's own clock, so the clocks of hosts do not matter.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import connection

from sessions.models import BotSession

_CLAIM = """
UPDATE bot_sessions_botsession AS s
SET owner = %(owner)s,
    epoch = epoch + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
    takeovers = takeovers + CASE WHEN owner IS NULL THEN 0 ELSE 1 END,
    -- An owner that vanished without releasing died at this tick, or was frozen.
    poison_count = CASE WHEN owner IS NULL THEN poison_count
                        WHEN poison_seq = last_tick_seq THEN poison_count + 1 ELSE 1 END,
    poison_seq = CASE WHEN owner IS NULL THEN poison_seq ELSE last_tick_seq END
WHERE id IN (
    SELECT id FROM bot_sessions_botsession
    WHERE settled_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY created_at, id
    LIMIT %(room)s
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def claim(*, owner: uuid.UUID, room: int) -> list[BotSession]:
    """Take up to `room` unfinished sessions that nobody holds, each under a new epoch."""
    if room <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"owner": owner, "lease_seconds": settings.LEASE_SECONDS, "room": room}
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(BotSession.objects.filter(pk__in=ids, owner=owner)) if ids else []


def renew(*, owner: uuid.UUID) -> None:
    """Push the lease of everything held; a session taken by somebody else is not ours to push."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_sessions_botsession SET lease_until ="
            " clock_timestamp() + make_interval(secs => %s)"
            " WHERE owner = %s AND settled_at IS NULL",
            [settings.LEASE_SECONDS, owner],
        )


def release(*, owner: uuid.UUID) -> None:
    """Hand everything over at once, instead of letting the lease run out."""
    BotSession.objects.filter(owner=owner).update(owner=None, lease_until=None)


def quarantine(session: BotSession) -> None:
    """Nobody can drive this session: keep every runner off it and say so. Operators decide."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_sessions_botsession SET owner = NULL, lease_until = 'infinity',"
            " status = 'failed', status_reason = 'engine_error: kept apart for the operators'"
            " WHERE id = %s AND epoch = %s",
            [session.pk, session.epoch],
        )


def unowned_count() -> int:
    """Unfinished sessions without a running lease, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bot_sessions_botsession WHERE settled_at IS NULL"
            " AND (lease_until IS NULL OR lease_until < clock_timestamp())"
        )
        row = cursor.fetchone()
    return int(row[0])
