"""One session in the memory of its runner: the engine's state and what is not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.times import from_ms, to_ms
from sessions import financials
from sessions.lifecycle import Status, moves
from sessions.models import BotSession, SessionRequest
from sessions.rows import SETTLEMENT_INDEX, RowBuilder, Rows
from simengine import ending
from simengine import events as ev
from simengine import state as phases
from simengine.market import Tick
from simengine.state import FAILED, SessionState, SessionTerms
from simengine.step import KILL, KILL_FLAT, Financials, obey, step
from simengine.strategy import Hooks, Strategy
from strategies.runtime.program import InvalidProgram, parse_program

# What the runner does after a tick, apart from the indices of the tick's own events: requests
# obeyed while no tick comes, in the order of their obeying, and an end without the program.
REQUEST_INDEX = 2_000
FAILURE_INDEX = 4_000
# Kinds of the events that say so. They make a session's rows tell all that a re-run needs.
OBEYED = "obeyed_without_tick"
FAILED_BY_RUNNER = "failed_by_runner"
QUIET_TICKS_BETWEEN_SNAPSHOTS = 300


@dataclass(frozen=True, slots=True)
class NoStrategy:
    """Drives a session that must end without its program."""

    hooks: Hooks = field(default_factory=Hooks)

    @classmethod
    def instead_of(cls, program: str) -> NoStrategy:
        """Of a program that is not to be run: its times are known, so that its session, which may
        not have had a tick yet, has the same entries as if it were.
        """
        try:
            return cls(Hooks(times=parse_program(program).hooks.times))
        except InvalidProgram:
            return cls()

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Any:
        raise AssertionError("a session without its program has ended")


@dataclass
class Uncommitted:
    """What the next commit has to write for one session."""

    from_seq: int  # the guard: the row must still stand here
    rows: Rows = field(default_factory=Rows)
    points: list[Financials] = field(default_factory=list)
    obeyed: list[tuple[int, int]] = field(default_factory=list)  # (request id, tick seq)
    finalized: ev.Finalized | None = None
    growth: financials.Growth | None = None
    has_events: bool = False
    # Of the events some that stepping through the same ticks again would not bring back as they
    # are: a program was called, money moved. Re-pricing follows from the ticks alone.
    needs_snapshot: bool = False

    def add_event(self) -> None:
        self.has_events = self.needs_snapshot = True

    def next(self, from_seq: int) -> Uncommitted:
        """What to go on with once this is committed: this very one, emptied, after quiet ticks, as
        nearly all are, and a new one after all others.
        """
        if self.has_events or self.obeyed:
            return Uncommitted(from_seq)
        self.from_seq, self.points, self.growth = from_seq, [], None
        return self


class HostedSession:
    """Owned by one runner under one epoch. `state` is ahead of the database by `uncommitted`."""

    def __init__(
        self,
        row: BotSession,
        terms: SessionTerms,
        strategy: Strategy,
        *,
        held: Iterable[str] = (),
    ) -> None:
        self.row = row
        self.terms = terms
        self.strategy = strategy
        self.status = Status(row.status)
        self.builder = RowBuilder(row.pk, row.trading_date, held)
        if row.state is None:
            self.state = SessionState.opening(terms, strategy.hooks.times)
            self.state.last_seq = row.last_tick_seq
        else:
            self.state = SessionState.from_json(row.state)
        self.uncommitted = Uncommitted(from_seq=row.last_tick_seq)
        self.last_tick_at = row.last_tick_at
        self.finalized_at: datetime | None = None
        self.state_seq = row.state_seq
        self.tail = financials.tail_points(row.tail)
        self.id_text = str(row.pk)
        # Not all of them on one tick: sessions that began together would hold each other up.
        self._ticks_between_snapshots = QUIET_TICKS_BETWEEN_SNAPSHOTS - row.pk.int % (
            QUIET_TICKS_BETWEEN_SNAPSHOTS // 2
        )

    @property
    def is_final(self) -> bool:
        return self.state.phase == phases.FINAL

    @property
    def awaits_settlement(self) -> bool:
        return self.state.phase == phases.CLOSING

    @property
    def needs_snapshot(self) -> bool:
        pending = self.uncommitted
        quiet_ticks = self.state.last_seq - self.state_seq
        return (
            pending.needs_snapshot
            or bool(pending.obeyed)
            or self.row.state is None
            or quiet_ticks >= self._ticks_between_snapshots
        )

    @property
    def line(self) -> financials.Growth:
        """What the commit does to the per-second line. Ask only once nothing is added before it."""
        pending = self.uncommitted
        if pending.growth is None:
            pending.growth = financials.growth(
                self.row.pk, self.tail, pending.points, is_last=pending.finalized is not None
            )
        return pending.growth

    def committed(self) -> None:
        """What was uncommitted is in the database now."""
        self.row.poison_count = 0
        if self.needs_snapshot:
            self.state_seq = self.state.last_seq
            self.row.state = {}  # a snapshot exists now
        self.tail = self.line.tail
        self.uncommitted = self.uncommitted.next(self.state.last_seq)

    def replay(self, ticks: Iterable[Tick]) -> None:
        """Step through quiet ticks that are committed already, to be where the row says we are."""
        for tick in ticks:
            step(self.state, tick, (), self.terms, self.strategy)

    def step(self, tick: Tick, requests: Sequence[SessionRequest]) -> None:
        self._note_stop(requests)
        result = step(
            self.state, tick, [request.kind for request in requests], self.terms, self.strategy
        )
        at = from_ms(tick.at_ms)
        if result.financials is not None:
            self.uncommitted.points.append(result.financials)
            self.last_tick_at = at
        self.uncommitted.obeyed += [(request.pk, tick.seq) for request in requests]
        self._record(result.events, at=at)

    def obey_without_tick(self, requests: Sequence[SessionRequest], *, first_index: int) -> None:
        """No tick comes (a silent feed, a closed market). What needs a quote waits for one.

        `first_index` is the first free event index from REQUEST_INDEX on.
        """
        kinds = [str(request.kind) for request in requests]
        self._note(first_index, OBEYED, {"requests": kinds, "phase": self.state.phase})
        self._note_stop(requests)
        events = obey(self.state, self.terms, kinds)
        self.uncommitted.obeyed += [(request.pk, self.state.last_seq) for request in requests]
        self._record(events, at=self._latest_at(), first_index=first_index + 1)

    def close_market(self, *, close_at: datetime) -> None:
        """The market's day is over and every tick of it is processed."""
        events = ending.close_market(self.state, self.terms, at_ms=to_ms(close_at))
        self._record(events, at=close_at, first_index=SETTLEMENT_INDEX // 2)

    def settle(self, settlement_cents: int, *, close_at: datetime) -> None:
        events = ending.settle(self.state, self.terms, settlement_cents=settlement_cents)
        self._record(events, at=close_at, first_index=SETTLEMENT_INDEX)

    def fail(self, reason: str) -> None:
        """End without the program; what is held is closed at market on the coming ticks."""
        self.strategy = NoStrategy()
        if self.state.is_ended or self.state.end == FAILED:
            return  # nothing of the program is left to stop
        self._note(FAILURE_INDEX, FAILED_BY_RUNNER, {"reason": reason})
        self.state.program_state = None  # it may not have been called on the last quiet ticks
        events = ending.fail(self.state, self.terms, reason)
        self._record(events, at=self._latest_at(), first_index=FAILURE_INDEX + 1)

    def announce(self, *, at: datetime) -> None:
        """The status the engine's phase stands for, as rows, when it moved."""
        self._move_to(self._status(), at=at)

    def _note_stop(self, requests: Sequence[SessionRequest]) -> None:
        """Whoever asked for the stop moved the row to `killing` and wrote that down already.

        A session that ended meanwhile stays what it is.
        """
        has_ended = self.state.is_ended and self.state.end is not None
        if not has_ended and any(request.kind in (KILL, KILL_FLAT) for request in requests):
            self.status = Status.KILLING

    def _note(self, index: int, kind: str, data: dict[str, Any]) -> None:
        self.uncommitted.add_event()
        row = self.builder.event_row(
            index, kind, data, tick_seq=self.state.last_seq, at=self._latest_at()
        )
        self.uncommitted.rows.add(row)

    def _record(self, events: list[ev.Event], *, at: datetime, first_index: int = 0) -> None:
        if events:
            self.uncommitted.has_events = True
            if not all(isinstance(event, ev.Repriced) for event in events):
                self.uncommitted.add_event()
            self.builder.add_tick(
                self.uncommitted.rows, self.state.last_seq, at, events, first_index
            )
            for event in events:
                if isinstance(event, ev.Finalized):
                    self.uncommitted.finalized = event
                    self.finalized_at = at
        self._move_to(self._status(), at=at)

    def _move_to(self, target: Status, *, at: datetime) -> None:
        if target is self.status:
            return
        for status in moves(self.status, target):
            reason = self.state.end_reason if status is target else ""
            self.uncommitted.rows.add(
                self.builder.status_row(status, tick_seq=self.state.last_seq, at=at, reason=reason)
            )
            self._stamp(status, at)
        self.status = target
        self.uncommitted.add_event()

    def _stamp(self, status: Status, at: datetime) -> None:
        if status is Status.RUNNING and self.row.started_at is None:
            self.row.started_at = at
        if status in _ENDS and self.row.ended_at is None:
            self.row.ended_at = at
            self.row.status_reason = self.state.end_reason or None

    def _status(self) -> Status:
        state = self.state
        ended = state.end is not None and state.is_ended
        if ended and state.end is not None:
            return Status(state.end)
        if state.phase == phases.CLOSING:
            return Status.SETTLING
        if state.end == phases.KILLED or self.status is Status.KILLING:
            return Status.KILLING
        if state.phase == phases.WAITING:
            return Status.WAITING_FOR_DATA
        return Status.RUNNING

    def _latest_at(self) -> datetime:
        return self.last_tick_at or self.row.created_at


_ENDS = frozenset({Status.COMPLETED, Status.HALTED, Status.KILLED, Status.FAILED})
