"""From a tick's commit to the commit of a session's step over it, exactly.

The rows of a sample of sessions are looked at several times a tick. When `last_tick_seq` of a row
has moved, the time of the commit that wrote the row is asked of PostgreSQL (which keeps it with
track_commit_timestamp), and so is that of the tick's own row: both by one clock, without the poll's
delay. Where a lease was renewed between a commit and the poll that saw it, the renewal's time
counts, which is later. A commit timestamp is taken before the flush to disk; `first_sight` is the
poller's own, flush included and up to a poll late.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.live.database import connect

POLL_SECONDS = 0.02
SAMPLED = 100

_ROWS = """
SELECT id, last_tick_seq, EXTRACT(EPOCH FROM pg_xact_commit_timestamp(xmin))::float
FROM bot_sessions_botsession WHERE id = ANY(%s)
"""
_SAMPLE = """
SELECT id FROM bot_sessions_botsession WHERE settled_at IS NULL ORDER BY md5(id::text) LIMIT %s
"""
_TICKS = """
SELECT seq, EXTRACT(EPOCH FROM pg_xact_commit_timestamp(t.xmin))::float
FROM marketdata_tick t WHERE trading_date = %s AND seq > %s ORDER BY seq
"""
_DAY = "SELECT trading_date, last_seq FROM marketdata_marketday ORDER BY announced_at DESC LIMIT 1"


@dataclass
class Seen:
    """Times (Unix seconds) by tick: when it was committed, and when each session was past it."""

    ticks: dict[int, float] = field(default_factory=dict)
    committed: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    first_sight: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    ended_at: float = 0.0
    sampled: int = 0

    def latencies_ms(self, seq: int, found: dict[int, list[float]] | None = None) -> list[float]:
        """Of one tick over the sampled sessions; one that never came counts with its age."""
        moments = (self.committed if found is None else found).get(seq, [])
        missing = [self.ended_at] * (self.sampled - len(moments))
        return [(at - self.ticks[seq]) * 1e3 for at in [*moments, *missing]]


class Watcher(threading.Thread):
    """Watches until `finish`; `patience_seconds` are for what was appended shortly before it.

    A commit is seen if no other follows before the next poll, so `poll_seconds` must be shorter
    than a tick.
    """

    def __init__(
        self,
        database_url: str,
        *,
        poll_seconds: float = POLL_SECONDS,
        patience_seconds: float = 3.0,
    ) -> None:
        super().__init__(daemon=True)
        self._connection = connect(database_url)
        self._poll_seconds = poll_seconds
        self._patience_seconds = patience_seconds
        self._is_finishing = threading.Event()
        self._error: BaseException | None = None
        self.seen = Seen()

    def finish(self) -> Seen:
        """Raises whatever went wrong in the thread."""
        self._is_finishing.set()
        self.join()
        self._connection.close()
        if self._error is not None:
            raise self._error
        return self.seen

    def run(self) -> None:
        try:
            self._watch()
        except BaseException as error:  # told by finish(), in the thread that waits for it
            self._error = error

    def _watch(self) -> None:
        ids = [row[0] for row in self._connection.execute(_SAMPLE, [SAMPLED])]
        self.seen.sampled = len(ids)
        last_seqs: dict[Any, int] = {}
        self._poll(ids, last_seqs)
        first_seq = max([self._day()[1], *last_seqs.values()])  # who was past it we cannot tell
        while not self._is_finishing.is_set():
            time.sleep(self._poll_seconds)
            self._poll(ids, last_seqs)
        day, last_seq = self._day()
        deadline = time.monotonic() + self._patience_seconds
        while min(last_seqs.values(), default=last_seq) < last_seq and time.monotonic() < deadline:
            time.sleep(self._poll_seconds)
            self._poll(ids, last_seqs)
        self.seen.ended_at = time.time()
        rows = self._connection.execute(_TICKS, [day, first_seq]).fetchall()
        self.seen.ticks = {seq: at for seq, at in rows if seq <= last_seq}

    def _poll(self, ids: Sequence[Any], last_seqs: dict[Any, int]) -> None:
        rows = self._connection.execute(_ROWS, [list(ids)]).fetchall()
        now = time.time()
        for session_id, seq, committed_at in rows:
            for passed in range(last_seqs.get(session_id, seq) + 1, seq + 1):
                self.seen.committed[passed].append(committed_at)
                self.seen.first_sight[passed].append(now)
            last_seqs[session_id] = seq

    def _day(self) -> tuple[Any, int]:
        row = self._connection.execute(_DAY).fetchone()
        assert row is not None
        return row[0], row[1]
