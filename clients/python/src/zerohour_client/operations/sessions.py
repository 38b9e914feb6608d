"""Sessions: start, stop, read, follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from zerohour_client._calls import (
    Call,
    Paged,
    Repeat,
    StreamCall,
    many,
    once,
    one,
    path,
    query,
    text,
)
from zerohour_client._shapes import decode
from zerohour_client.models import (
    Decision,
    Entry,
    Event,
    Financial,
    Integrity,
    Order,
    OrderStatus,
    OtherEvent,
    Position,
    Session,
    SessionData,
    StatusChange,
    Transaction,
)

Id = UUID | str
T = TypeVar("T")

FROM_THE_START = "0.0"

_SHAPES: dict[str, type[Any]] = {
    "financial": Financial,
    "order": Order,
    "position": Position,
    "transaction": Transaction,
    "decision": Decision,
}


def list_sessions(bot_id: Id) -> Call[list[Session]]:
    """Newest first, at most 90."""
    return Call("GET", path("/bots/{}/sessions", bot_id), many(Session))


def start_session(bot_id: Id, *, idempotency_key: str | None = None) -> Call[Session]:
    """Start today's session: today is the market's."""
    where = path("/bots/{}/sessions", bot_id)
    return Call("POST", where, one(Session), headers=once(idempotency_key))


def get_session(bot_id: Id, session_id: Id) -> Call[Session]:
    """One session."""
    return Call("GET", _below(bot_id, session_id), one(Session))


def stop_session(bot_id: Id, session_id: Id, *, flatten: bool = False) -> Call[Session]:
    """Ask it to stop at its next tick; `flatten` closes positions at market before.

    Asking twice changes nothing, so this is repeated when a connection breaks.
    """
    given = query(flatten=True if flatten else None)
    return Call("DELETE", _below(bot_id, session_id), one(Session), query=given)


def cancel_all_orders(bot_id: Id, session_id: Id) -> Call[Session]:
    """Cancel open orders at the next tick; the session keeps running."""
    where = _below(bot_id, session_id, "cancel-all-orders")
    return Call("POST", where, one(Session), Repeat.UNSAFE)


def list_orders(
    bot_id: Id,
    session_id: Id,
    *,
    status: OrderStatus | None = None,
    page_size: int | None = None,
) -> Paged[Order]:
    """In the order of placement."""
    where = _below(bot_id, session_id, "orders")
    given = query(status=status, limit=page_size)
    return Paged(Call("GET", where, many(Order), query=given))


def list_positions(bot_id: Id, session_id: Id) -> Call[list[Position]]:
    """One per instrument, against the latest tick."""
    return Call("GET", _below(bot_id, session_id, "positions"), many(Position))


def list_transactions(
    bot_id: Id, session_id: Id, *, page_size: int | None = None
) -> Paged[Transaction]:
    """Fills and settlement, as they were booked."""
    return _rows(Transaction, bot_id, session_id, "transactions", page_size)


def list_decisions(bot_id: Id, session_id: Id, *, page_size: int | None = None) -> Paged[Decision]:
    """What the strategy logged and signalled."""
    return _rows(Decision, bot_id, session_id, "decision-log", page_size)


def list_events(bot_id: Id, session_id: Id, *, page_size: int | None = None) -> Paged[Event]:
    """What the runner did and why."""
    return _rows(Event, bot_id, session_id, "events", page_size)


def list_entries(bot_id: Id, session_id: Id, *, page_size: int | None = None) -> Paged[Entry]:
    """The outcome of every scheduled entry."""
    return _rows(Entry, bot_id, session_id, "entries", page_size)


def list_financials(
    bot_id: Id, session_id: Id, *, interval: int | None = None, since: datetime | None = None
) -> Call[list[Financial]]:
    """The account second by second; `interval` (seconds) thins it, `since` cuts it."""
    given = query(interval=interval, since=since)
    return Call("GET", _below(bot_id, session_id, "financials"), many(Financial), query=given)


def get_financials_csv(
    bot_id: Id, session_id: Id, *, interval: int | None = None, since: datetime | None = None
) -> Call[str]:
    """The same as CSV."""
    where = _below(bot_id, session_id, "financials")
    given = query(interval=interval, since=since)
    return Call("GET", where, text, query=given, headers={"Accept": "text/csv"})


def get_integrity(bot_id: Id, session_id: Id) -> Call[Integrity]:
    """The session recounted from its rows: every invariant, and the first row that breaks it."""
    return Call("GET", _below(bot_id, session_id, "integrity"), one(Integrity))


def stream_session(
    bot_id: Id, session_id: Id, *, after: str | None = None
) -> StreamCall[SessionData]:
    """The session as it happens, until it is settled.

    Every connection begins with the `Session` of the moment. `after` is the id of an event to go
    on behind, or FROM_THE_START; without it the stream begins with what comes next.
    """
    return StreamCall(_below(bot_id, session_id, "stream"), _session_data, _is_settled, after)


def _session_data(event: str, raw: Any) -> SessionData:
    if event == "status":
        return decode(Session, raw) if "session_id" in raw else decode(StatusChange, raw)
    if event in _SHAPES:
        known: SessionData = decode(_SHAPES[event], raw)
        return known
    return OtherEvent(raw)


def _is_settled(data: SessionData) -> bool:
    return isinstance(data, Session) and data.is_settled


def _below(bot_id: Id, session_id: Id, read: str | None = None) -> str:
    where = path("/bots/{}/sessions/{}", bot_id, session_id)
    return f"{where}/{read}" if read else where


def _rows(shape: type[T], bot_id: Id, session_id: Id, read: str, page_size: int | None) -> Paged[T]:
    where = _below(bot_id, session_id, read)
    return Paged(Call("GET", where, many(shape), query=query(limit=page_size)))
