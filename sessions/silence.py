"""Cutting off a client that fell silent in the middle of a statement, with session rows locked.

A process that freezes between two statements is cut off by PostgreSQL (DATABASE_TIMEOUTS in the
settings). In the middle of one, a COPY above all, PostgreSQL waits for the rest: none of its
time-outs interrupts it there, `statement_timeout` included (tried with 18). The rows stay locked,
and claims pass over them for as long as the process is frozen. So runners look.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import connection

SILENCE_SECONDS = 3.0  # as between two statements

_Statement = tuple[int, datetime, int]  # process of the server, begun at, bytes copied

# Statements that wait for their clients. Who sends rows has sent more of them by the next look.
_WAITING = """
SELECT a.pid, a.query_start, COALESCE(c.bytes_processed, 0)
FROM pg_stat_activity AS a LEFT JOIN pg_stat_progress_copy AS c ON c.pid = a.pid
WHERE a.datname = current_database() AND a.usename = current_user
  AND a.state = 'active' AND a.wait_event IN ('ClientRead', 'ClientWrite')
"""

# Only who has changed sessions, or is about to: somebody's own COPY into another table may wait.
_CUT_OFF = """
SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a
WHERE a.pid = %s AND a.query_start = %s AND EXISTS (
    SELECT FROM pg_locks AS l WHERE l.pid = a.pid
      AND l.relation = 'bot_sessions_botsession'::regclass AND l.mode <> 'AccessShareLock')
"""

log = logging.getLogger(__name__)


class SilentWriters:
    """What one runner saw of them, look by look."""

    def __init__(self) -> None:
        self._silent_since: dict[_Statement, float] = {}

    def cut_off(self, *, now: float) -> None:
        """End the connections that wait as they did SILENCE_SECONDS ago. `now` in seconds, of any
        clock that only grows; call it often.
        """
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            waiting: list[_Statement] = cursor.fetchall()
            seen = self._silent_since
            self._silent_since = {each: seen.get(each, now) for each in waiting}
            for each, since in self._silent_since.items():
                pid, began_at, _ = each
                if now - since < SILENCE_SECONDS:
                    continue
                cursor.execute(_CUT_OFF, [pid, began_at])
                if cursor.fetchone():
                    log.warning("cut off a client that is silent", extra={"server_pid": pid})
