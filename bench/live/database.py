"""What the database knows of a run: progress, write-ahead log, sizes, who its connections serve."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import psycopg

APPLICATION = "bench"

_PROGRESS = """
SELECT count(*), count(*) FILTER (WHERE s.status = 'running'),
       COALESCE(max(d.last_seq - s.last_tick_seq), 0),
       COALESCE(avg(d.last_seq - s.last_tick_seq), 0)::float, COALESCE(sum(s.tick_count), 0)
FROM bot_sessions_botsession s JOIN marketdata_marketday d USING (trading_date)
WHERE s.settled_at IS NULL
"""
_SIZES = """
SELECT COALESCE(pg_partition_root(c.oid), c.oid)::regclass::text,
       sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
_WRITES = """
SELECT COALESCE(pg_partition_root(relid), relid)::regclass::text,
       sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint
FROM pg_stat_user_tables GROUP BY 1
"""
_BACKENDS = "SELECT pid, COALESCE(NULLIF(application_name, ''), backend_type) FROM pg_stat_activity"
_WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"


@dataclass(frozen=True, slots=True)
class Progress:
    """`ticks_behind` counts the tick that is being worked on, too."""

    sessions: int
    running: int
    most_behind: int
    behind: float  # on average
    session_ticks: int  # since the sessions began, of all


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url, autocommit=True, application_name=APPLICATION)


class Database:
    """One connection's questions. Not for two threads."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)

    def close(self) -> None:
        self._connection.close()

    def version(self) -> str:
        return str(self._row("SHOW server_version")[0])

    def progress(self) -> Progress:
        return Progress(*self._row(_PROGRESS))

    def outstanding(self) -> dict[str, int]:
        """What holding and working sessions are still short of: condors, resting orders."""
        holding, working, filled, resting = self._row(
            "SELECT count(*) FILTER (WHERE strategy_name = 'holding'),"
            " count(*) FILTER (WHERE strategy_name = 'working'),"
            " count(*) FILTER (WHERE strategy_name = 'holding' AND EXISTS (SELECT 1 FROM"
            " bot_sessions_trade t WHERE t.session_id = s.id AND t.status = 'open')),"
            " count(*) FILTER (WHERE strategy_name = 'working' AND EXISTS (SELECT 1 FROM"
            " bot_sessions_order o WHERE o.session_id = s.id AND o.status = 'pending'))"
            " FROM bot_sessions_botsession s"
        )
        return {"condors": holding - filled, "resting orders": working - resting}

    def wal_bytes(self) -> int:
        return int(self._row(_WAL)[0])

    def sizes(self) -> dict[str, int]:
        """Bytes by table, its indexes and its overflow included; partitions under their table."""
        return dict(self._connection.execute(_SIZES).fetchall())

    def writes(self) -> dict[str, tuple[int, int, int]]:
        """Inserted, updated, of these in place (HOT), by table, since the database began."""
        rows = self._connection.execute(_WRITES).fetchall()
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def backends(self) -> dict[str, list[int]]:
        """Process ids by whom they serve (a process of the Procfile, or the server itself)."""
        found: dict[str, list[int]] = defaultdict(list)
        for pid, name in self._connection.execute(_BACKENDS).fetchall():
            found[name].append(pid)
        return found

    def _row(self, query: str) -> tuple[Any, ...]:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return row
