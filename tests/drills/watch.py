"""Two witnesses: triggers in the database that note who writes, and a thread that looks on.

The triggers note every claim, commit and release with the name its process gave its connection, so
a write by somebody else than the last claimant is seen, whatever the rows look like afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

LOOK_EVERY_SECONDS = 0.1
MAX_UNOWNED_SECONDS = 15.0
MAX_UNSETTLED_SECONDS = 60.0

TRIGGERS = """
CREATE TABLE IF NOT EXISTS drill_write (
    id bigserial PRIMARY KEY, session_id uuid, app text, epoch int, is_claim bool,
    was_held bool, old_seq int, new_seq int
);
CREATE OR REPLACE FUNCTION drill_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO drill_write (session_id, app, epoch, is_claim, was_held, old_seq, new_seq) VALUES (
        new.id, current_setting('application_name'), new.epoch, new.epoch <> old.epoch,
        new.epoch <> old.epoch AND COALESCE(old.lease_until > clock_timestamp(), false),
        old.last_tick_seq, new.last_tick_seq);
    RETURN new;
END $$;
CREATE OR REPLACE TRIGGER drill_note AFTER UPDATE ON bot_sessions_botsession FOR EACH ROW
WHEN (new.epoch <> old.epoch OR new.last_tick_seq <> old.last_tick_seq)
EXECUTE FUNCTION drill_note();

CREATE TABLE IF NOT EXISTS drill_release (session_id uuid, app text);
CREATE OR REPLACE FUNCTION drill_note_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO drill_release VALUES (new.id, current_setting('application_name'));
    RETURN new;
END $$;
CREATE OR REPLACE TRIGGER drill_note_release AFTER UPDATE ON bot_sessions_botsession FOR EACH ROW
WHEN (old.owner IS NOT NULL AND new.owner IS NULL AND new.settled_at IS NULL)
EXECUTE FUNCTION drill_note_release();
"""

# Commits by another process than the one that claimed this epoch, and jumps in the sequence.
FOREIGN_WRITES = """
WITH of_day AS (
    SELECT w.*, max(w.id) FILTER (WHERE w.is_claim) OVER (
        PARTITION BY w.session_id ORDER BY w.id) AS claim_id,
        lag(w.new_seq) OVER (PARTITION BY w.session_id ORDER BY w.id) AS before
    FROM drill_write AS w JOIN bot_sessions_botsession AS s ON s.id = w.session_id
    WHERE s.trading_date = %s
)
SELECT count(*) FROM of_day AS w JOIN drill_write AS claim ON claim.id = w.claim_id
WHERE NOT w.is_claim AND (w.app <> claim.app OR w.old_seq <> w.before OR w.new_seq < w.old_seq)
"""

# Claims of a session whose lease was still running.
ROBBERIES = """
SELECT count(*) FROM drill_write AS w JOIN bot_sessions_botsession AS s ON s.id = w.session_id
WHERE s.trading_date = %s AND w.was_held
"""

LOOK = """
SELECT s.id, s.last_tick_seq, COALESCE(s.lease_until > clock_timestamp(), false),
       s.settled_at IS NOT NULL, d.last_seq, d.status = 'closed' AND d.settlement_cents IS NOT NULL
FROM bot_sessions_botsession AS s
JOIN marketdata_marketday AS d ON d.trading_date = s.trading_date
WHERE s.trading_date = %s AND d.opened_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One session at one moment."""

    last_tick_seq: int
    is_owned: bool
    is_settled: bool
    log_seq: int
    can_settle: bool

    def has_passed(self, seq: int) -> bool:
        return self.is_settled or (self.is_owned and self.last_tick_seq > seq)


@dataclass
class Watch:
    """A context: looks until it is left. Its figures are of one trading day."""

    url: str
    day: Any
    on_look: Callable[[dict[Any, Seen]], None]
    longest_unowned_seconds: float = 0.0
    longest_unsettled_seconds: float = 0.0
    sessions: dict[Any, Seen] = field(default_factory=dict)
    _looked_at: float = 0.0

    def __enter__(self) -> Watch:
        self._stop = threading.Event()
        self._connection: psycopg.Connection | None = None
        self._unowned_since: dict[Any, float] = {}
        self._can_settle_since: float | None = None
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    def wait(self, is_so: Callable[[dict[Any, Seen]], bool], patience_seconds: float) -> bool:
        """Until a look of later than now shows it."""
        began = time.monotonic()
        while time.monotonic() - began < patience_seconds:
            if self._looked_at > began and self.sessions and is_so(self.sessions):
                return True
            time.sleep(0.02)
        return False

    def _look_on(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            began = time.monotonic()
            try:
                found = self._look()
            except psycopg.Error:
                self._connection = None  # the database is being harmed; look again
                continue
            self._judge(found, began)
            self.sessions, self._looked_at = found, began
            self.on_look(found)

    def _look(self) -> dict[Any, Seen]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self.url, autocommit=True, connect_timeout=2, application_name="drill"
            )
        rows = self._connection.execute(LOOK, [self.day]).fetchall()
        return {row[0]: Seen(*row[1:]) for row in rows}

    def _judge(self, found: dict[Any, Seen], now: float) -> None:
        for session_id, seen in found.items():
            if seen.is_owned or seen.is_settled:
                since = self._unowned_since.pop(session_id, None)
            else:
                since = self._unowned_since.setdefault(session_id, now)
            if since is not None:
                self.longest_unowned_seconds = max(self.longest_unowned_seconds, now - since)
        waiting = [seen for seen in found.values() if seen.can_settle and not seen.is_settled]
        if any(seen.can_settle for seen in found.values()):
            self._can_settle_since = self._can_settle_since or now
            if waiting:
                took = now - self._can_settle_since
                self.longest_unsettled_seconds = max(self.longest_unsettled_seconds, took)
