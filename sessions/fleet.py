"""All sessions at once, for operators: by status, by owner, what is late. Each one query."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from sessions.lifecycle import Status


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sessions that are not settled or are of the market's day."""

    counts: dict[str, int]  # by status, every status
    takeovers: int
    unowned: int  # due, and no runner holds them
    oldest_lease_seconds: float  # since the renewal that is longest ago
    ticks_behind: int  # of the slowest
    late_settlements: int  # unsettled 60 s after the day closed with its value
    quarantined: int  # kept apart for the operators


@dataclass(frozen=True, slots=True)
class Owner:
    """One runner, by what it holds."""

    owner: uuid.UUID
    session_count: int
    lease_until: datetime  # the database's clock
    ticks_behind: int


_BY_STATUS = """
SELECT s.status,
       count(*),
       sum(s.takeovers),
       count(*) FILTER (WHERE s.settled_at IS NULL AND s.status <> 'scheduled'
           AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())),
       max(EXTRACT(EPOCH FROM clock_timestamp() - s.lease_until))
           FILTER (WHERE s.settled_at IS NULL AND isfinite(s.lease_until)),
       max(d.last_seq - s.last_tick_seq) FILTER (WHERE s.settled_at IS NULL),
       count(*) FILTER (WHERE s.settled_at IS NULL AND d.settlement_cents IS NOT NULL
           AND d.closed_at < clock_timestamp() - interval '60 seconds'),
       count(*) FILTER (WHERE s.settled_at IS NULL AND s.lease_until >= '9999-01-01 00:00+00')
FROM bot_sessions_botsession s
LEFT JOIN marketdata_marketday d ON d.trading_date = s.trading_date
WHERE s.settled_at IS NULL
   OR s.trading_date = (SELECT day_id FROM marketdata_marketclock WHERE id = 1)
GROUP BY s.status
"""

_BY_OWNER = """
SELECT s.owner, count(*), min(s.lease_until), COALESCE(max(d.last_seq - s.last_tick_seq), 0)
FROM bot_sessions_botsession s
LEFT JOIN marketdata_marketday d ON d.trading_date = s.trading_date
WHERE s.settled_at IS NULL AND s.owner IS NOT NULL
GROUP BY s.owner
ORDER BY count(*) DESC, s.owner
"""


def fleet() -> Fleet:
    with connection.cursor() as cursor:
        cursor.execute(_BY_STATUS)
        rows = cursor.fetchall()
    counts = {row[0]: row[1] for row in rows}
    past_lease = max((float(row[4]) for row in rows if row[4] is not None), default=None)
    return Fleet(
        counts={status: counts.get(status, 0) for status in Status.values},
        takeovers=sum(row[2] for row in rows),
        unowned=sum(row[3] for row in rows),
        oldest_lease_seconds=(
            0.0 if past_lease is None else max(0.0, past_lease + settings.LEASE_SECONDS)
        ),
        ticks_behind=max((row[5] for row in rows if row[5] is not None), default=0),
        late_settlements=sum(row[6] for row in rows),
        quarantined=sum(row[7] for row in rows),
    )


def owners() -> list[Owner]:
    """Who holds unsettled sessions, the busiest first."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_OWNER)
        return [Owner(*row) for row in cursor.fetchall()]
