"""One trading day with harm in it: opens, is disturbed, goes on to its close and is judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import psycopg
from django.db import connection

from marketdata.models import MarketDay
from tests.drills import bad_feed
from tests.drills.day import Recorded
from tests.drills.system import Started, System
from tests.drills.verdict import Verdict, judge
from tests.drills.watch import MAX_UNOWNED_SECONDS, MAX_UNSETTLED_SECONDS, Seen, Watch
from tests.flows.api import Api

PATIENCE_SECONDS = 60.0
RECOVERY_PATIENCE_SECONDS = 60.0
# Ticks a second of all sessions together: what the house can do while it is harmed, and until the
# close. A market a minute a second for ten sessions is one of twelve seconds a second for fifty.
HARMED_SESSION_TICKS, QUIET_SESSION_TICKS = 600.0, 6_000.0
SLOWEST = 1.0  # ticks a second
SHARE_FOR_HARM = 0.7  # of the day; the rest is for what the harm left behind


class NoDay(Exception):
    """The day did not come so far that harm could be done."""


@dataclass
class Act:
    system: System
    recorded: Recorded
    api: Api
    bots: dict[str, str]
    rng: Random
    bad_places: tuple[int, int] | None = None  # (seed, count) of a feed that is spoilt
    trouble: list[str] = field(default_factory=list)  # what was not as it must be, in words

    def __post_init__(self) -> None:
        self._ceiling_seq = 0.0
        self._fastest = HARMED_SESSION_TICKS / len(self.bots)

    def open(self) -> None:
        """The next day is announced, its sessions are scheduled; then its ticks begin."""
        self.day = self._until(self._announced, "the next day is announced")
        wanted = len(self.bots)
        self._until(lambda: self._scheduled() >= wanted, f"{wanted} sessions are scheduled")
        self.watch = Watch(self.system.postgres.url, self.day, self._hold).__enter__()
        self.sql(
            "UPDATE marketdata_marketcontrol SET is_paused = false, speed = %s", self._fastest / 4
        )
        if not self.watch.wait(
            lambda seen: len(seen) >= wanted and all(one.has_passed(5) for one in seen.values()),
            PATIENCE_SECONDS,
        ):
            raise NoDay(f"the sessions of {self.day} do not run: {self.watch.sessions}")

    def close(self) -> Verdict:
        """On to the close, to settlement, and to the verdict. The market waits for the next act."""
        self._ceiling_seq = 0.0
        self.steer_to(QUIET_SESSION_TICKS / len(self.bots))
        self.watch.wait(
            lambda seen: any(one.can_settle for one in seen.values()), 3 * PATIENCE_SECONDS
        )
        self.sql("UPDATE marketdata_marketcontrol SET is_paused = true")
        are_settled = self.watch.wait(
            lambda seen: all(one.is_settled for one in seen.values()), 3 * PATIENCE_SECONDS
        )
        if not are_settled:
            self.trouble.append("not all sessions settled")
        self.watch.__exit__()
        connection.close()  # the harm may have cut it
        day = MarketDay.objects.get(pk=self.day)
        ticks = list(self.recorded.ticks_on(self.day, day.open_at))
        lost = bad_feed.may_be_lost(ticks, *self.bad_places) if self.bad_places else set()
        verdict = judge(day, ticks, lost)
        verdict.differences += self.trouble
        verdict.delays += self._too_long()
        return verdict

    def _too_long(self) -> list[str]:
        found = []
        if self.watch.longest_unowned_seconds > MAX_UNOWNED_SECONDS:
            found.append(f"a session had no owner for {self.watch.longest_unowned_seconds:.1f} s")
        if self.watch.longest_unsettled_seconds > MAX_UNSETTLED_SECONDS:
            found.append(f"unsettled {self.watch.longest_unsettled_seconds:.1f} s after the value")
        return found

    # For harms --------------------------------------------------------------------------------

    @property
    def log_seq(self) -> int:
        return max((one.log_seq for one in self.watch.sessions.values()), default=0)

    def recovered(self, since: float) -> float:
        """Seconds from `since` until every session has an owner again and processed a tick that
        came after now.
        """
        seq = self.log_seq

        def are_well(seen: dict[Any, Seen]) -> bool:
            return all(one.has_passed(seq) for one in seen.values())

        is_well = self.watch.wait(are_well, RECOVERY_PATIENCE_SECONDS)
        took = time.monotonic() - since
        if not is_well:
            stuck = [
                one for one in self.watch.sessions if not self.watch.sessions[one].has_passed(seq)
            ]
            self.trouble.append(f"{len(stuck)} sessions do not go on after {took:.0f} s")
            self.trouble += self._told(stuck)
        return took

    def _told(self, session_ids: Sequence[Any]) -> list[str]:
        """Where these sessions stand, for whoever looks for the reason."""
        rows = self.sql(
            "SELECT b.name, s.status, s.last_tick_seq, d.last_seq, s.epoch, s.poison_count,"
            " s.lease_until - clock_timestamp(), w.app"
            " FROM bot_sessions_botsession AS s JOIN bots_bot AS b ON b.id = s.bot_id"
            " JOIN marketdata_marketday AS d ON d.trading_date = s.trading_date"
            " LEFT JOIN LATERAL (SELECT app FROM drill_write WHERE session_id = s.id"
            " ORDER BY id DESC LIMIT 1) AS w ON true WHERE s.id = ANY(%s)",
            list(session_ids),
        )
        return [
            f"{name}: {status} at tick {seq} of {last}, epoch {epoch}, {deaths} deaths,"
            f" lease {left}, last moved by {app}"
            for name, status, seq, last, epoch, deaths, left, app in rows
        ]

    def owner(self) -> Started:
        """A worker that drives sessions, by chance."""
        apps = {app for app, _ in self._claims()}
        owners = [each for each in self.system.workers() if each.app in apps]
        return self.rng.choice(owners or self.system.workers())

    def idlest(self) -> Started:
        """The worker with the most room."""
        held = Counter(app for app, _ in self._claims())
        return min(self.system.workers(), key=lambda each: held[each.app])

    def held_by(self, worker: Started) -> int:
        """Sessions that it claimed last and that bear an owner's name."""
        return sum(app == worker.app and owner is not None for app, owner in self._claims())

    def released_by(self, worker: Started) -> int:
        """Sessions that it let go of before their end."""
        query = "SELECT count(DISTINCT session_id) FROM drill_release WHERE app = %s"
        return int(self.sql(query, worker.app)[0][0])

    def _claims(self) -> list[tuple[Any, ...]]:
        """(who claimed it last, the owner it bears) of every session that was claimed."""
        return self.sql(
            "SELECT DISTINCT ON (s.id) w.app, s.owner FROM drill_write AS w"
            " JOIN bot_sessions_botsession AS s ON s.id = w.session_id"
            " WHERE w.is_claim AND s.trading_date = %s ORDER BY s.id, w.id DESC",
            self.day,
        )

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.rng.uniform(least, most))

    def pace(self, seconds: float, seconds_left: float) -> None:
        """The market's speed, so that the day lasts as long as the harm: the next one may take its
        share of the ticks, in about `seconds`. Where it takes longer, the market waits (`_hold`).
        """
        ticks = SHARE_FOR_HARM * len(self.recorded.tape.ticks) - self.log_seq
        share = ticks * seconds / max(seconds_left, seconds)
        self._ceiling_seq = self.log_seq + share
        self.steer_to(max(SLOWEST, min(self._fastest, share / seconds)))

    def hurry(self) -> None:
        """As fast as the market can, whatever the next harm was to be spared."""
        self._ceiling_seq = 0.0
        self.steer_to(self._fastest)

    def _hold(self, seen: dict[Any, Seen]) -> None:
        """Called with every look: no harm may use up the day."""
        if self._ceiling_seq and any(one.log_seq > self._ceiling_seq for one in seen.values()):
            self._ceiling_seq = 0.0
            self.steer_to(SLOWEST)

    def steer_to(self, speed: float) -> None:
        self.sql("UPDATE marketdata_marketcontrol SET speed = %s", speed)

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """On a connection of its own, again until the database answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with psycopg.connect(self.system.postgres.url, connect_timeout=2) as own:
                    cursor = own.execute(query, values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    # Requests of clients ----------------------------------------------------------------------

    def ask(self) -> None:
        """What clients ask for meanwhile: orders cancelled, one session stopped."""
        names = list(self.bots)
        cancelled, stopped = names[0], names[-1]
        self._request("POST", cancelled, "/cancel-all-orders")
        self._request("DELETE", stopped, "?flatten=true")

    def _request(self, method: str, name: str, path: str) -> None:
        below = f"/bots/{self.bots[name]}/sessions"
        sessions = self._answer("GET", below)
        own = next((row for row in sessions or () if row["date"] == str(self.day)), None)
        if own is not None:
            self._answer(method, f"{below}/{own['session_id']}{path}")

    def _answer(self, method: str, path: str) -> Any:
        """As a client does it: again as long as the service says it is not there."""
        deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
        while True:
            try:
                status, answer = self.api.call(method, path)
            except httpx.TransportError as error:
                status, answer = 503, str(error)
            if status < 300:
                return answer
            if status < 500 or time.monotonic() > deadline:
                self.trouble.append(f"{method} {path}: {status} {answer}")
                return None
            time.sleep(0.5)

    # Waiting ----------------------------------------------------------------------------------

    def _announced(self) -> Any:
        rows = self.sql("SELECT trading_date FROM marketdata_marketday WHERE status = 'pre_open'")
        return rows[0][0] if rows else None

    def _scheduled(self) -> int:
        query = "SELECT count(*) FROM bot_sessions_botsession WHERE trading_date = %s"
        return int(self.sql(query, self.day)[0][0])

    def _until(self, ask: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := ask()):
            if time.monotonic() > deadline:
                raise NoDay(f"not within {PATIENCE_SECONDS:g} s: {what}")
            time.sleep(0.2)
        return found


def percentile_95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)] if ordered else 0.0
