"""Who runs a session: leases and epochs (architecture section 4, docs/ownership.md).

A lease says who may be working; its expiry permits a takeover. What stops a runner that lost its
lease without noticing is the epoch: it grows with every claim and every commit is guarded by it.
Times are the database's own clock, so the clocks of hosts do not matter.

`poison_count` tells a session that kills its owners from one that was only there when they died. An
owner that vanished counts for everything it held, but no further than SUSPECT_AFTER_OWNERS; from
there on an owner takes the session's next ticks alone and writes that down before (`note_deaths`).
Only a note that still stands after one more death, POISONED_AFTER_OWNERS in all, convicts it. Every
commit acquits it, and so do an orderly release and an owner that finds it lost but is alive.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import connection

from sessions.models import BotSession

SUSPECT_AFTER_OWNERS = 2
POISONED_AFTER_OWNERS = 3
NOTED_LEASE_SECONDS = 10.0
RENEWED_WITH_LEFT = 0.6  # of a lease

_CLAIM = """
UPDATE bot_sessions_botsession AS s
SET owner = %(owner)s,
    epoch = epoch + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
    takeovers = takeovers + CASE WHEN owner IS NULL THEN 0 ELSE 1 END,
    -- An owner that vanished without releasing died at this tick, or was frozen.
    poison_count = CASE WHEN owner IS NULL OR poison_count >= %(suspect_after)s THEN poison_count
                        ELSE poison_count + 1 END,
    poison_seq = CASE WHEN owner IS NULL THEN poison_seq ELSE last_tick_seq END
-- An array is read once; with IN the plan may ask again for each row, and take more than LIMIT.
WHERE id = ANY(ARRAY(
    SELECT id FROM bot_sessions_botsession
    WHERE settled_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
    ORDER BY created_at, id
    LIMIT %(room)s
    FOR UPDATE SKIP LOCKED
))
RETURNING id
"""

_RENEW = """
UPDATE bot_sessions_botsession
SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE owner = %(owner)s AND settled_at IS NULL
  AND lease_until < clock_timestamp() + make_interval(secs => %(lease)s * %(left)s)
"""


def claim(*, owner: uuid.UUID, room: int) -> list[BotSession]:
    """Take up to `room` unfinished sessions that nobody holds, each under a new epoch."""
    if room <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "owner": owner,
                "lease_seconds": settings.LEASE_SECONDS,
                "room": room,
                "suspect_after": SUSPECT_AFTER_OWNERS,
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
    mine = BotSession.objects.filter(pk__in=ids, owner=owner)
    return list(mine.order_by("created_at", "pk")) if ids else []


def renew(*, owner: uuid.UUID) -> None:
    """Push the leases that no commit has pushed lately; a session taken by somebody else is not
    ours to push.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW, {"lease": settings.LEASE_SECONDS, "owner": owner, "left": RENEWED_WITH_LEFT}
        )


def release(*, owners: Sequence[uuid.UUID]) -> None:
    """Hand everything over at once, instead of letting the lease run out. `owners` are all our own.

    Waits for a commit of theirs that is still on its way; afterwards its outcome can be read.
    """
    BotSession.objects.filter(owner__in=owners).update(owner=None, lease_until=None, poison_count=0)


def is_suspect(session: BotSession) -> bool:
    return session.poison_count >= SUSPECT_AFTER_OWNERS


def note_deaths(session: BotSession, count: int) -> None:
    """What the next owner shall believe if this one dies before it takes that back. It has long
    enough for it: nobody shall be convicted because the owner was slow.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_sessions_botsession SET poison_count = %s, lease_until ="
            " clock_timestamp() + make_interval(secs => %s) WHERE id = %s AND epoch = %s",
            [
                count,
                max(NOTED_LEASE_SECONDS, settings.LEASE_SECONDS),
                session.pk,
                session.epoch,
            ],
        )


def acquit(session_ids: Iterable[uuid.UUID]) -> None:
    """An owner that lost these lives: it was slow, and they did not kill it."""
    if lost := list(session_ids):
        noted = BotSession.objects.filter(pk__in=lost, poison_count__gt=0)
        noted.filter(poison_count__lt=POISONED_AFTER_OWNERS).update(poison_count=0)


def quarantine(session: BotSession) -> None:
    """Nobody can drive this session: keep every runner off it and say so. Operators decide."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_sessions_botsession SET owner = NULL, lease_until = '9999-01-01 00:00+00',"
            " status = 'failed', status_reason = 'engine_error: kept apart for the operators'"
            " WHERE id = %s AND epoch = %s",
            [session.pk, session.epoch],
        )


def is_anything_left() -> bool:
    """Whether some session is unfinished, whoever owns it; none that is kept apart counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM bot_sessions_botsession WHERE settled_at IS NULL AND"
            " (lease_until IS NULL OR lease_until < clock_timestamp() + interval '1 day'))"
        )
        row = cursor.fetchone()
    return bool(row[0])


def unowned_count() -> int:
    """Unfinished sessions without a running lease, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bot_sessions_botsession WHERE settled_at IS NULL"
            " AND (lease_until IS NULL OR lease_until < clock_timestamp())"
        )
        row = cursor.fetchone()
    return int(row[0])
