"""What must hold after every commit, cheaply, and at the end, fully."""

from __future__ import annotations

from typing import Any

from django.db import connection

from sessions.financials import POINT_BYTES
from sessions.integrity.verify import verify
from sessions.lifecycle import NEXT, TERMINAL, Status
from sessions.models import BotSession
from sessions.replay import replay
from tests.simulator.programs import Programs

_COLUMNS = (
    "id", "status", "epoch", "last_tick_seq", "state_seq", "tick_count", "settled",
    "cash", "booked", "points", "last_point", "latest_row", "pending", "first_seq",
)  # fmt: skip
_LOOK = """
SELECT s.id, s.status, s.epoch, s.last_tick_seq, s.state_seq, s.tick_count,
       s.settled_at IS NOT NULL,
       (s.state->'portfolio'->>'cash_cents')::bigint - s.opening_balance_cents,
       COALESCE((SELECT sum(CASE effect WHEN 'credit' THEN value_cents ELSE -value_cents END
                            - fees_cents)
                 FROM bot_sessions_transaction t WHERE t.session_id = s.id), 0),
       COALESCE(line.points, 0) + octet_length(s.tail) / %(point_bytes)s,
       -- The newest point is the first in the tail, its tick the first of its numbers.
       CASE WHEN s.tail = '' THEN line.last_point
            ELSE ('x' || encode(substr(s.tail, 1, 8), 'hex'))::bit(64)::bigint END,
       (SELECT max(tick_seq) FROM bot_sessions_sessionevent e WHERE e.session_id = s.id),
       (SELECT count(*) FROM bot_sessions_order o
        WHERE o.session_id = s.id AND o.status = 'pending'),
       s.first_seq
FROM bot_sessions_botsession s
LEFT JOIN LATERAL (SELECT sum(count) AS points, max(last_seq) AS last_point
                   FROM bot_sessions_financialchunk f WHERE f.session_id = s.id) line ON TRUE
"""


class Broken(AssertionError):
    """An invariant does not hold; says which session and what was seen."""


class Watch:
    """Looks at all sessions after a commit, and at what became of them since the one before."""

    def __init__(self) -> None:
        self._before: dict[Any, dict[str, Any]] = {}
        self.looks = 0

    def look(self) -> None:
        self.looks += 1
        with connection.cursor() as cursor:
            cursor.execute(_LOOK, {"point_bytes": POINT_BYTES})
            rows = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            _check(row)
            if row["id"] in self._before:
                _check_move(self._before[row["id"]], row)
            self._before[row["id"]] = row


def _check(row: dict[str, Any]) -> None:
    latest = row["last_tick_seq"]
    _hold(row, (row["latest_row"] or 0) <= latest, "no row is ahead of the tick that was committed")
    _hold(row, row["state_seq"] <= latest, "no snapshot is ahead of it either")
    _hold(row, row["points"] == row["tick_count"], "one financial row a processed tick")
    _hold(row, (row["last_point"] or 0) <= latest, "no financial row is ahead")
    _hold(row, row["cash"] in (None, row["booked"]), "change of cash = sum of transactions")
    _hold(row, Status(row["status"]) not in TERMINAL or not row["pending"], "none is left pending")


def _check_move(before: dict[str, Any], row: dict[str, Any]) -> None:
    for name in ("epoch", "last_tick_seq", "state_seq", "tick_count"):
        _hold(row, row[name] >= before[name], f"{name} only grows")
    _hold(row, row["status"] in _reachable(before["status"]), f"no way from {before['status']}")
    _hold(row, row["settled"] or not before["settled"], "settled is for good")


def _reachable(status: str) -> set[str]:
    """Several moves may be in one commit."""
    found = [Status(status)]
    for each in found:
        found += [after for after in sorted(NEXT.get(each, ())) if after not in found]
    return set(found)


def _hold(row: dict[str, Any], holds: bool, what: str) -> None:
    if not holds:
        raise Broken(f"{what}: {row}")


def check_at_the_end(programs: Programs) -> None:
    """Everything is settled, sound in every check, and identical to an undisturbed replay."""
    for session in BotSession.objects.order_by("created_at", "pk"):
        if session.settled_at is None:
            raise Broken(f"unsettled at the end: {session.pk} {session.status}")
        report = verify(session.pk)
        if not report.is_sound:
            raise Broken(f"{session.pk} {session.status}: {report.broken}")
        # `programs` stands in for a sandbox: the same calls, in this process.
        replayed = replay(session.pk, sandbox=programs)  # type: ignore[arg-type]
        if replayed.differences:
            found = "; ".join(str(item) for item in replayed.differences[:5])
            raise Broken(f"{session.pk} {session.status} differs from its replay: {found}")
