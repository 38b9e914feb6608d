"""The runner: claims sessions, steps them through the tick log, commits, hands over.

One runner a process, many sessions a runner. Every turn reads the next ticks of the log for each
group of sessions that stand at the same tick, steps them all and commits once. A late runner
catches up tick by tick, so being late never costs or gives anybody a fill. Anything the database
says other than "done" makes the runner forget what it holds and claim again: what is committed is
what happened.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import QuerySet
from structlog.contextvars import bind_contextvars, unbind_contextvars

from common.prepared import IsAnyOf, Prepared
from marketdata import ticklog
from marketdata.models import MarketDay
from sessions import lanes, ownership, wakeups
from sessions.commit import commit
from sessions.hosted import HostedSession
from sessions.lanes import Lane, lane_of
from sessions.models import SessionRequest
from sessions.registration import Registrar, worth_a_look
from sessions.silence import SilentWriters
from sessions.tickless import end_of_day, has_work, obey_without_tick
from simengine.market import Tick
from strategies.runtime.sandbox import SandboxUnavailable

log = logging.getLogger(__name__)

TICKS_PER_TURN = 60  # bounds one transaction while catching up
CLAIM_EVERY_SECONDS = 0.5
CLAIMED_AT_ONCE = 200  # so that runners with room share what another leaves
LOADING_SECONDS = 0.25  # of a turn
# Of a lease. Commits push the leases of who moves, so within a turn only a long one renews: no
# tick waits for it.
RENEW_AFTER, RENEW_WITHIN_A_TURN_AFTER = 0.2, 0.4
OBEY_WITHOUT_TICK_AFTER_SECONDS = 1.0
RETRY_AFTER_SECONDS = 0.5


class Runner:
    """`stop_requested` is asked between turns; `idle_seconds` without work end the run."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        stop_requested: Callable[[], bool],
        capacity: int,
        idle_seconds: float = 5.0,
    ) -> None:
        self.owner = uuid.uuid4()
        self._former: list[uuid.UUID] = []  # names of ours whose sessions are not let go yet
        self._registrar = registrar
        self._stop_requested = stop_requested
        self._capacity = capacity
        self._idle_seconds = idle_seconds
        self._hosted: dict[uuid.UUID, HostedSession] = {}
        self._unregistered: dict[uuid.UUID, date] = {}
        self._dates: set[date] = set()  # of all of these; told anew at every claim
        self._asked_at: dict[uuid.UUID, float] = {}  # since when a request waits for a tick
        self._at_rest: list[tuple[date, int, str]] | None = None  # days with which nobody had work
        self._silent_writers = SilentWriters()
        self._claimed_at = self._renewed_at = self._turn_ends_at = 0.0
        self._busy_at = time.monotonic()

    def run(self) -> None:
        """Drive sessions until asked to stop or until there is nothing left to drive."""
        bind_contextvars(owner=str(self.owner))  # on every line of this thread from now on
        log.info("runner started")
        with wakeups.Listener() as listener:
            while not self._stop_requested():
                try:
                    if self._is_idle():
                        break
                    if not self.turn():
                        listener.wait()
                except (DatabaseError, SandboxUnavailable):
                    # Unknown outcome included: nothing in memory counts any more.
                    log.warning("trouble around us, starting over", exc_info=True)
                    self._forget()
                    time.sleep(RETRY_AFTER_SECONDS)
        self._hand_over()

    def turn(self) -> bool:
        """Step and commit what we hold, then look for more: no tick waits for that. Says whether
        anything moved.
        """
        if self._former:
            ownership.release(owners=self._former)
            self._former = []
        moved = bool(self._hosted) and self._advance_all(self._days(), self._open_requests())
        self._claim()
        if self._unregistered:
            moved |= self._register(self._days())
        self._renew(RENEW_AFTER)
        if moved:
            self._busy_at = time.monotonic()
        return moved

    # Claiming ---------------------------------------------------------------------------------

    def _claim(self) -> None:
        now = time.monotonic()
        if now - self._claimed_at < CLAIM_EVERY_SECONDS:
            return
        self._claimed_at = now
        self._silent_writers.cut_off(now=now)  # what they hold cannot be claimed
        room = self._capacity - len(self._hosted) - len(self._unregistered)
        rows = ownership.claim(owner=self.owner, room=min(room, CLAIMED_AT_ONCE))
        for row in rows:
            self._hosted.pop(row.pk, None)
            self._unregistered[row.pk] = row.trading_date
            self._busy_at = now
        self._dates = {hosted.row.trading_date for hosted in self._hosted.values()}
        self._dates.update(self._unregistered.values())
        if len(rows) == CLAIMED_AT_ONCE:  # there is more, for the others too: again next turn
            self._claimed_at = 0.0

    def _register(self, days: dict[date, MarketDay]) -> bool:
        """Bring claimed rows into memory, for a part of the turn: a takeover of many must not hold
        up the sessions at work.
        """
        moved = False
        ends_at = time.monotonic() + LOADING_SECONDS
        for session_id in worth_a_look(self._unregistered, days, owner=self.owner):
            trading_date = self._unregistered[session_id]
            hosted = self._registrar.host(session_id, owner=self.owner, day=days.get(trading_date))
            del self._unregistered[session_id]
            if hosted is None:  # not due yet: behind the others
                self._unregistered[session_id] = trading_date
            elif isinstance(hosted, HostedSession):
                self._hosted[session_id] = hosted
                self._at_rest = None
                moved = True
            self._renew()  # programs take their time to load
            if time.monotonic() > ends_at:
                break
        return moved

    def _renew(self, part_of_lease: float = RENEW_WITHIN_A_TURN_AFTER) -> None:
        now = time.monotonic()
        is_due = now - self._renewed_at >= settings.LEASE_SECONDS * part_of_lease
        if is_due and (self._hosted or self._unregistered):
            ownership.renew(owner=self.owner)
            self._renewed_at = now

    def _is_idle(self) -> bool:
        """Nothing to do, and nobody who might leave something: a runner with room stays for as long
        as another drives sessions, so that a takeover needs neither a hint nor a watcher.
        """
        now = time.monotonic()
        if self._hosted or self._unregistered or now - self._busy_at <= self._idle_seconds:
            return False
        if ownership.is_anything_left():
            self._busy_at = now  # ask again after as long
            return False
        return True

    def _forget(self) -> None:
        connection.close()
        self._hosted.clear()
        self._unregistered.clear()
        self._claimed_at = 0.0
        if not self._former:  # else nothing was claimed since
            self._former = [self.owner]
            self.owner = uuid.uuid4()  # cannot be confused with what we held
            bind_contextvars(owner=str(self.owner))

    def _hand_over(self) -> None:
        try:
            ownership.release(owners=[*self._former, self.owner])
        except DatabaseError:
            log.warning("could not release the leases; they run out", exc_info=True)
        log.info("runner stopped")
        unbind_contextvars("owner")

    # Stepping ---------------------------------------------------------------------------------

    def _days(self) -> dict[date, MarketDay]:
        return {day.pk: day for day in _market_days(dates=list(self._dates)).rows()}

    def _open_requests(self) -> dict[uuid.UUID, list[SessionRequest]]:
        found: dict[uuid.UUID, list[SessionRequest]] = defaultdict(list)
        for request in _requests(owner=self.owner).rows():
            found[request.session_id].append(request)
        for session_id in set(self._asked_at) - set(found):
            del self._asked_at[session_id]
        for session_id in found:
            self._asked_at.setdefault(session_id, time.monotonic())
        return found

    def _advance_all(
        self, days: dict[date, MarketDay], requests: dict[uuid.UUID, list[SessionRequest]]
    ) -> bool:
        """Lane after lane. Programs have TURN_SECONDS of their own, however long the quiet sessions
        took, and a lane whose groups come too late for them is served once all the same.
        """
        moved = False
        lane, is_over = Lane.QUIET, False
        self._turn_ends_at = time.monotonic() + lanes.TURN_SECONDS
        for group_lane, group in self._groups(days, requests):
            if group_lane is not lane:
                if lane is Lane.QUIET:
                    self._turn_ends_at = time.monotonic() + lanes.TURN_SECONDS
                lane, is_over = group_lane, False
            if is_over:
                continue
            has_moved = self._advance(group, days[group[0].row.trading_date], requests)
            moved |= has_moved
            self._renew()
            is_over = has_moved and self._has_used_up_the_turn(group[0])
        return moved

    def _groups(
        self, days: dict[date, MarketDay], requests: dict[uuid.UUID, list[SessionRequest]]
    ) -> list[tuple[Lane, list[HostedSession]]]:
        """Those that have something to do. Sessions of one lane and day that stand at one tick read
        the log together; a suspect is alone.
        """
        now = [(day.pk, day.last_seq, day.status) for day in days.values()]
        if now == self._at_rest and not requests:
            return []  # as most turns: without a look at thousands
        groups: dict[tuple[Lane, date, int, str], list[HostedSession]] = defaultdict(list)
        for hosted in self._hosted.values():
            row, last_seq = hosted.row, hosted.state.last_seq
            day = days[row.trading_date]
            if last_seq >= day.last_seq and not has_work(hosted, day, requests):
                continue
            alone = hosted.id_text if ownership.is_suspect(row) else ""
            groups[lane_of(hosted), row.trading_date, last_seq, alone].append(hosted)
        self._at_rest = None if groups else now
        return [(key[0], groups[key]) for key in sorted(groups)]

    def _advance(
        self,
        group: list[HostedSession],
        day: MarketDay,
        requests: dict[uuid.UUID, list[SessionRequest]],
    ) -> bool:
        # `day` was read before the ticks: if it says closed, no tick comes after the ones read now.
        ticks = self._next_ticks(group[0].state.last_seq, day)
        if ownership.is_suspect(group[0].row) and (ticks or requests.get(group[0].row.pk)):
            ownership.note_deaths(group[0].row, ownership.POISONED_AFTER_OWNERS)
        moved = []
        for hosted in group:
            asked = requests.get(hosted.row.pk, []) if requests else []
            if self._drive(hosted, day, ticks, asked):
                moved.append(hosted)
            self._renew()  # a slow program must not cost the others their leases
            if self._has_used_up_the_turn(hosted):
                break  # the others are a group of their own in the next turn
        if not moved:
            return False
        self._commit(moved)
        return True

    def _next_ticks(self, after_seq: int, day: MarketDay) -> list[Tick]:
        """No further than the day was when the turn began, nor than the next multiple of
        TICKS_PER_TURN: groups that catch up meet there and are one group from then on.
        """
        if after_seq >= day.last_seq:
            return []
        limit = min(TICKS_PER_TURN - after_seq % TICKS_PER_TURN, day.last_seq - after_seq)
        return ticklog.read(day.trading_date, after_seq, limit)

    def _commit(self, moved: list[HostedSession]) -> None:
        kept = commit(moved, owner=self.owner)
        for hosted in kept:
            if hosted.is_final:
                self._hosted.pop(hosted.row.pk)
        if len(kept) < len(moved):
            self._let_go(moved, kept)
        wakeups.publish_moved()

    def _let_go(self, moved: list[HostedSession], kept: list[HostedSession]) -> None:
        """Of sessions that somebody else owns by now."""
        ours = {hosted.row.pk for hosted in kept}
        lost = [hosted for hosted in moved if hosted.row.pk not in ours]
        for hosted in lost:
            log.warning("session lost to another owner", extra=_ids(hosted))
            self._hosted.pop(hosted.row.pk)
        ownership.acquit(hosted.row.pk for hosted in lost)

    def _drive(
        self,
        hosted: HostedSession,
        day: MarketDay,
        ticks: Sequence[Tick],
        requests: list[SessionRequest],
    ) -> bool:
        """Step one session as far as this turn goes. An error of ours ends this session only."""
        try:
            return self._step(hosted, day, ticks, requests)
        except (DatabaseError, SandboxUnavailable):
            raise
        except Exception:  # a bug of ours ends this session, not the runner of all the others
            log.exception("the engine failed on a session", extra=_ids(hosted))
            if not self._registrar.fail_after_crash(hosted, day):
                self._hosted.pop(hosted.row.pk)
                return False
            return True

    def _step(
        self,
        hosted: HostedSession,
        day: MarketDay,
        ticks: Sequence[Tick],
        requests: list[SessionRequest],
    ) -> bool:
        if hosted.is_final:
            return True
        for tick in ticks:
            hosted.step(tick, requests)
            requests = []
            if hosted.is_final:
                return True
            if self._has_used_up_the_turn(hosted):
                break
        moved = bool(ticks) or hosted.uncommitted.has_events
        if requests and self._waited_for_a_tick(hosted):
            moved |= obey_without_tick(hosted, requests)
        return end_of_day(hosted, day) or moved

    def _has_used_up_the_turn(self, hosted: HostedSession) -> bool:
        """Quiet sessions never do: every turn serves them all, and at least one of each lane."""
        return time.monotonic() > self._turn_ends_at and lane_of(hosted) is not Lane.QUIET

    def _waited_for_a_tick(self, hosted: HostedSession) -> bool:
        asked_at = self._asked_at.get(hosted.row.pk, time.monotonic())
        return time.monotonic() - asked_at >= OBEY_WITHOUT_TICK_AFTER_SECONDS


@Prepared
def _market_days(dates: list[date]) -> QuerySet[MarketDay]:
    return MarketDay.objects.filter(IsAnyOf("pk", dates))


@Prepared
def _requests(owner: uuid.UUID) -> QuerySet[SessionRequest]:
    """Those that wait for a runner, of all its sessions."""
    return SessionRequest.objects.filter(session__owner=owner, obeyed_seq=None).order_by("pk")


def _ids(hosted: HostedSession) -> dict[str, str | int]:
    return {
        "session": str(hosted.row.pk),
        "epoch": hosted.row.epoch,
        "tick_seq": hosted.state.last_seq,
    }
