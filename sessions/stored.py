"""Everything a session has in the database at one moment, and what of it came from outside."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Model

from sessions import financials
from sessions.hosted import FAILED_BY_RUNNER, OBEYED
from sessions.lifecycle import Status
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    SessionRequest,
    Trade,
    Transaction,
)
from sessions.rows import RowBuilder
from simengine.step import KILL, KILL_FLAT

# Who runs a session and by which clock, how far apart its snapshots and its chunks are (the line is
# compared second by second), and a later note.
NOT_REPLAYED = frozenset(
    {
        *("owner", "epoch", "lease_until", "takeovers", "poison_seq", "poison_count"),
        *("state_seq", "tail", "tape_digest"),
    }
)
TABLES: tuple[type[Model], ...] = (
    *(Order, Trade, Position, Transaction, Decision, Entry, SessionEvent),
)
# Statuses a runner never writes: the row is made with one, and a client's stop is the other.
WRITTEN_BY_OTHERS = (Status.SCHEDULED, Status.REGISTERING, Status.KILLING)


@dataclass(frozen=True, slots=True)
class Stored:
    row: BotSession
    below: dict[type[Model], list[Any]]
    line: financials.Matrix
    requests: list[SessionRequest]


def read_stored(session_id: uuid.UUID | str) -> Stored | None:
    """All of a session as of one commit, even while it runs. None where there is no such session.

    Call it outside a transaction, or what you read is as consistent as that transaction.
    """
    with _one_moment():
        try:
            row = BotSession.objects.select_related("strategy").filter(pk=session_id).first()
        except (ValidationError, ValueError):  # no id at all
            return None
        if row is None:
            return None
        below = {model: _in_order(model, row) for model in TABLES}
        line = financials.line(row)
        requests = list(SessionRequest.objects.filter(session=row).order_by("pk"))
    return Stored(row, below, line, requests)


@contextmanager
def _one_moment() -> Iterator[None]:
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        if not is_nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _in_order(model: type[Model], row: BotSession) -> list[Any]:
    order = ("tick_seq", "index") if model is SessionEvent else ("tick_seq", "pk")
    return list(model._default_manager.filter(session=row).order_by(*order))


@dataclass(frozen=True, slots=True)
class Given:
    """What came to a session from outside its engine."""

    obeyed: dict[int, list[SessionRequest]]  # by the tick they took effect at
    idle: dict[int, list[SessionEvent]]  # notes of requests obeyed without a tick, by its number
    failure: tuple[int, str] | None  # (the tick it came after, reason): an end the runner decided
    settlement_cents: int | None
    phase: str | None  # of the last snapshot
    has_waited: bool  # a runner had it before anybody asked it to stop
    status_at_first: Status
    is_asked_to_stop: bool
    rows_of_others: list[SessionEvent]

    @classmethod
    def of(cls, stored: Stored) -> Given:
        row = stored.row
        obeyed: dict[int, list[SessionRequest]] = defaultdict(list)
        for request in stored.requests:
            if request.obeyed_seq is not None:
                obeyed[request.obeyed_seq].append(request)
        idle: dict[int, list[SessionEvent]] = defaultdict(list)
        notes = {event.kind: event for event in stored.below[SessionEvent]}
        for event in stored.below[SessionEvent]:
            if event.kind == OBEYED:
                idle[event.tick_seq].append(event)
        failed, settled = notes.get(FAILED_BY_RUNNER), notes.get("settled")
        statuses = {
            Status(event.data["status"]): event
            for event in stored.below[SessionEvent]
            if event.kind == "status"
        }
        is_asked_to_stop = any(item.kind in (KILL, KILL_FLAT) for item in stored.requests)
        has_waited = Status.WAITING_FOR_DATA in statuses
        return cls(
            obeyed=obeyed,
            idle=idle,
            failure=None if failed is None else (failed.tick_seq, failed.data["reason"]),
            settlement_cents=None if settled is None else settled.data["settlement_cents"],
            phase=None if row.state is None else row.state["phase"],
            has_waited=has_waited,
            status_at_first=Status.KILLING if Status.KILLING in statuses else Status.REGISTERING,
            is_asked_to_stop=is_asked_to_stop,
            rows_of_others=list(_rows_of_others(stored, statuses)),
        )

    def requests_with(self, seq: int) -> list[SessionRequest]:
        """Those obeyed as the tick was processed."""
        later = sum(len(note.data["requests"]) for note in self.idle.get(seq, ()))
        obeyed = self.obeyed.get(seq, [])
        return obeyed[: len(obeyed) - later]

    def requests_after(self, seq: int) -> Iterator[tuple[int, str, list[SessionRequest]]]:
        """(first event index, the engine's phase, requests) of those obeyed before the next."""
        place = len(self.requests_with(seq))
        for note in self.idle.get(seq, ()):
            count = len(note.data["requests"])
            yield note.index, note.data["phase"], self.obeyed[seq][place : place + count]
            place += count


def _rows_of_others(stored: Stored, statuses: dict[Status, SessionEvent]) -> Iterator[SessionEvent]:
    """Status rows that no runner writes, as they should be; that they are there is given."""
    row = stored.row
    builder = RowBuilder(row.pk, row.trading_date)
    stops = [item.requested_at for item in stored.requests if item.kind in (KILL, KILL_FLAT)]
    for status in WRITTEN_BY_OTHERS:
        found = statuses.get(status)
        if found is None:
            continue
        at, tick_seq = row.created_at, row.first_seq - 1
        if status is Status.REGISTERING and Status.SCHEDULED in statuses:
            at = found.at  # the market's open
        elif status is Status.KILLING and stops:
            at, tick_seq = stops[0], found.tick_seq
        yield builder.status_row(status, tick_seq=tick_seq, at=at, reason="")


def told(row: Any) -> str:
    """A row in a few words."""
    names = ("tick_seq", "number", "index", "kind", "instrument", "type", "status")
    found = {name: getattr(row, name) for name in names if hasattr(row, name)}
    return ", ".join(f"{name} {value}" for name, value in found.items())
