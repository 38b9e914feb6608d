"""A session once more from what it was given: the rows it should have beside those it has.

Given are the frozen terms, the program, the ticks, and what came from outside: a client's requests
at the ticks they were obeyed at, an end that the runner decided, the settlement value. All of it
stands in the session's own rows, so a re-run needs nobody who was there.

Not compared is who ran it, and how far apart its snapshots were: NOT_REPLAYED names those columns.
No other column depends on a wall clock.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db.models import Model

from common.times import to_ms
from marketdata import queries as market
from marketdata import ticklog
from marketdata.models import MarketDay
from marketdata.tape.load import load_tape
from marketdata.tape.model import TapeError
from sessions import financials
from sessions.hosted import HostedSession, NoStrategy
from sessions.lifecycle import Status
from sessions.models import BotSession, SessionEvent
from sessions.registration import FROZEN
from sessions.stored import NOT_REPLAYED, TABLES, Given, Stored, read_stored, told
from sessions.terms import terms_of
from simengine import ENGINE_VERSION
from simengine.market import Tick
from simengine.state import CLOSING, SessionTerms
from strategies.runtime.program import InvalidProgram
from strategies.runtime.sandbox import Sandbox

READ_AT_ONCE = 1_000
NO_ROW = "(no such row)"
STOPPABLE = (Status.WAITING_FOR_DATA, Status.RUNNING, Status.SETTLING)


class CannotReplay(Exception):
    """Something a re-run needs is not there; says what."""


@dataclass(frozen=True, slots=True)
class Difference:
    table: str
    key: str
    column: str
    stored: Any
    replayed: Any

    def __str__(self) -> str:
        where = f"{self.table} {self.key}, {self.column}"
        return f"{where}: stored {self.stored!r}, replayed {self.replayed!r}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was compared: `row_count` rows, the seconds of the financial line among them."""

    session: BotSession
    row_count: int
    differences: list[Difference]


def replay(
    session_id: uuid.UUID | str, *, sandbox: Sandbox, ticks: Iterable[Tick] | None = None
) -> Replayed:
    """Run the session again up to where it stands and compare. Raises CannotReplay.

    `ticks` are those of its day from the first on; without them they are read from the tick log,
    or from the day's tape where the log is gone.
    """
    stored = read_stored(session_id)
    if stored is None:
        raise CannotReplay("there is no session with this id")
    day = _checked(stored.row)
    given = Given.of(stored)
    if ticks is None:
        ticks = _recorded(stored.row, day)
    rerun = _Rerun(stored, given, day, sandbox)
    rerun.run(_own(ticks, stored.row))
    return rerun.compared()


def _checked(row: BotSession) -> MarketDay:
    if row.policy is None:
        raise CannotReplay(f"it is {row.status}: nothing is frozen yet")
    if row.engine_version != ENGINE_VERSION:
        raise CannotReplay(
            f"it ran on engine {row.engine_version or 'unknown'} and this is {ENGINE_VERSION}"
        )
    day = market.day(row.trading_date)
    if day is None:
        raise CannotReplay(f"the market knows no day {row.trading_date}")
    return day


def _own(ticks: Iterable[Tick], row: BotSession) -> Iterator[Tick]:
    """The session's ticks. Raises CannotReplay where one of them is missing."""
    expected = row.first_seq
    for tick in ticks:
        if tick.seq < row.first_seq:
            continue
        if tick.seq > row.last_tick_seq:
            return
        if tick.seq != expected:
            raise CannotReplay(f"tick {expected} of {row.trading_date} is missing")
        yield tick
        expected += 1
    if expected <= row.last_tick_seq:
        raise CannotReplay(f"the ticks of {row.trading_date} end before tick {expected}")


def _recorded(row: BotSession, day: MarketDay) -> Iterable[Tick]:
    if row.first_seq > row.last_tick_seq:
        return ()
    if ticklog.has_partition(row.trading_date):
        return _logged(row.trading_date, row.first_seq - 1)
    digest = row.tape_digest or day.tape_digest
    if not digest or not day.tape_path:
        raise CannotReplay(f"the tick log of {row.trading_date} is gone and it has no tape")
    try:
        tape = load_tape(Path(day.tape_path))
    except TapeError as error:
        raise CannotReplay(f"the tick log is gone and its tape cannot be read: {error}") from error
    if tape.digest != digest:
        raise CannotReplay(f"{day.tape_path} is not the tape the session ran on ({digest[:12]})")
    return tape.ticks


def _logged(trading_date: date, after_seq: int) -> Iterator[Tick]:
    while ticks := ticklog.read(trading_date, after_seq, READ_AT_ONCE):
        yield from ticks
        after_seq = ticks[-1].seq


class _Rerun:
    def __init__(self, stored: Stored, given: Given, day: MarketDay, sandbox: Sandbox) -> None:
        self._stored, self._given, self._day = stored, given, day
        row = stored.row
        terms = terms_of(row, open_at=day.open_at, close_at=day.close_at)
        self._row = _as_registered(row, given)
        self._snapshot: dict[str, Any] | None = None
        self._hosted = self._begun(terms, sandbox)

    def _begun(self, terms: SessionTerms, sandbox: Sandbox) -> HostedSession:
        """Brought into memory, with what befell it before its first tick."""
        stored, given = self._stored, self._given
        try:
            strategy = sandbox.strategy(stored.row.strategy.program)
        except InvalidProgram as error:
            if given.failure is None or given.failure[0] >= stored.row.first_seq:
                raise CannotReplay(f"its program does not load: {error}") from error
            instead = NoStrategy.instead_of(stored.row.strategy.program)
            hosted = HostedSession(self._row, terms, instead)
        else:
            hosted = HostedSession(self._row, terms, strategy)
        if given.has_waited:
            hosted.announce(at=self._row.created_at)
        return hosted

    def run(self, ticks: Iterable[Tick]) -> None:
        hosted, given = self._hosted, self._given
        self._after_tick(self._stored.row.first_seq - 1)
        for tick in ticks:
            if hosted.is_final:
                break
            hosted.step(tick, given.requests_with(tick.seq))
            self._after_tick(tick.seq)
        row = self._stored.row
        is_closed = row.settled_at is not None or given.phase == CLOSING
        if is_closed and not hosted.is_final and not hosted.awaits_settlement:
            hosted.close_market(close_at=self._day.close_at)
        if hosted.awaits_settlement and given.settlement_cents is not None:
            hosted.settle(given.settlement_cents, close_at=self._day.close_at)
        self._keep_snapshot()

    def _after_tick(self, seq: int) -> None:
        """What the runner did on its own before the next tick came."""
        hosted = self._hosted
        for first_index, phase, requests in self._given.requests_after(seq):
            if phase == CLOSING and not hosted.awaits_settlement:
                hosted.close_market(close_at=self._day.close_at)
            hosted.obey_without_tick(requests, first_index=first_index)
        failure = self._given.failure
        if failure is not None and failure[0] == seq:
            hosted.fail(failure[1])
        self._keep_snapshot()

    def _keep_snapshot(self) -> None:
        if self._hosted.state.last_seq == self._stored.row.state_seq:
            self._snapshot = json.loads(json.dumps(self._hosted.state.as_json()))

    def compared(self) -> Replayed:
        replayed: dict[type[Model], list[Any]] = defaultdict(list)
        for (model, _), row in self._hosted.uncommitted.rows.new.items():
            replayed[model].append(row)
        replayed[SessionEvent] += self._given.rows_of_others
        differences = list(self._session_differences())
        count = 1
        for model in TABLES:
            stored = self._stored.below[model]
            differences += _row_differences(model, stored, replayed[model])
            count += len(stored)
        differences += self._line_differences()
        return Replayed(self._stored.row, count + len(self._stored.line), differences)

    def _session_differences(self) -> Iterator[Difference]:
        hosted, stored = self._hosted, self._stored.row
        expected = self._row
        expected.status = self._expected_status()
        expected.last_tick_seq = hosted.state.last_seq
        expected.last_tick_at = hosted.last_tick_at
        expected.tick_count = hosted.state.tick_count
        expected.error_count = hosted.state.error_count
        expected.settled_at = hosted.finalized_at
        expected.state = self._snapshot if stored.state is not None else None
        if hosted.uncommitted.finalized is not None:
            for name, value in asdict(hosted.uncommitted.finalized).items():
                setattr(expected, name, value)
        yield from _column_differences("session", str(stored.pk), stored, expected)

    def _expected_status(self) -> str:
        is_asked_to_stop = self._given.is_asked_to_stop
        is_stoppable = self._hosted.status in STOPPABLE
        return Status.KILLING if is_asked_to_stop and is_stoppable else self._hosted.status

    def _line_differences(self) -> Iterator[Difference]:
        rows = self._stored.line.tolist()
        stored = {row[0]: row for row in rows}
        replayed = {point.seq: list(point) for point in self._hosted.uncommitted.points}
        if len(rows) != len(stored):
            yield Difference("financials", "line", "rows", len(rows), len(stored))
        for seq in sorted(stored.keys() | replayed.keys()):
            was, should = stored.get(seq), replayed.get(seq)
            if was is None or should is None:
                yield Difference(
                    "financials", f"tick {seq}", "row", was or NO_ROW, should or NO_ROW
                )
                continue
            for name, one, other in zip(financials.COLUMNS, was, should, strict=True):
                if one != other:
                    yield Difference("financials", f"tick {seq}", name, one, other)


def _as_registered(row: BotSession, given: Given) -> BotSession:
    """The row as a runner found it: frozen, and nothing done yet."""
    kept = ("id", "bot_id", "trading_date", "strategy_id", "strategy_name", "first_seq", *FROZEN)
    return BotSession(
        **{name: getattr(row, name) for name in kept},
        status=Status.REGISTERING if given.has_waited else given.status_at_first,
        created_at=row.created_at,
        last_tick_seq=row.first_seq - 1,
    )


def _row_differences(
    model: type[Model], stored: list[Any], replayed: list[Any]
) -> Iterator[Difference]:
    table = model.__name__
    expected = {row.pk: row for row in replayed}
    for row in stored:
        other = expected.pop(row.pk, None)
        if other is None:
            yield Difference(table, str(row.pk), "row", told(row), NO_ROW)
        else:
            yield from _column_differences(table, str(row.pk), row, other)
    for row in expected.values():
        yield Difference(table, str(row.pk), "row", NO_ROW, told(row))


def _column_differences(table: str, key: str, stored: Any, replayed: Any) -> Iterator[Difference]:
    for column in stored._meta.concrete_fields:
        name = column.attname
        if table == "session" and name in NOT_REPLAYED:
            continue
        was, should = _plain(getattr(stored, name)), _plain(getattr(replayed, name))
        if isinstance(was, dict) and isinstance(should, dict):
            for part in sorted(set(was) | set(should)):
                if was.get(part) != should.get(part):
                    found = (was.get(part), should.get(part))
                    yield Difference(table, key, f"{name}.{part}", *found)
        elif was != should:
            yield Difference(table, key, name, was, should)


def _plain(value: Any) -> Any:
    """Comparable: times in milliseconds (they come from ticks), JSON as it is read back."""
    if isinstance(value, (dict, list)):
        return json.loads(json.dumps(value))
    return to_ms(value) if hasattr(value, "timestamp") else value
