"""Committed rows as the messages of a session's stream, in the order of their ids.

An id is "tick.place". Several commits may write at one tick: its own step, then what needs no tick
(a stop while the feed is silent, the close, the settlement). `place_of` puts what is committed
later behind what was committed before, so a stream that has sent the one goes on with the other.
What is read together ends at the tick that the session's row has reached: a step is committed
whole, so none is ever seen in part.
"""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from common.prepared import IsAnyOf, Prepared
from common.times import rfc3339
from sessions import financials, queries, shapes
from sessions.hosted import FAILURE_INDEX, REQUEST_INDEX
from sessions.lifecycle import LIVE, Status
from sessions.models import BotSession, FinancialChunk, Order, Position, SessionEvent, Transaction
from sessions.rows import SETTLEMENT_INDEX

# Places within a tick, in the order of the commits that can write there.
FINANCIAL_PLACE = 999  # after the step's own events
ENTERED_PLACE = 980  # the states a step enters
KILLING_PLACE = 1_000  # written by whoever asked for the stop
REQUEST_PLACE = 1_010
FAILURE_PLACE = 3_100
CLOSE_PLACE = 3_700
SETTLING_PLACE = 4_490
SETTLEMENT_PLACE = 4_500
ENDED_PLACE = 9_000
CLOSE_INDEX = SETTLEMENT_INDEX // 2
EVENTS_AT_ONCE = 500
POINTS_AT_ONCE = 600  # and as many chunks: each of them holds at least one point that is wanted

Cursor = tuple[int, int]  # tick, place
Message = tuple[Cursor, str, dict[str, Any]]
Wanted = dict[uuid.UUID, tuple[int, int, int]]  # after this tick and place, up to this tick

ORDER_KINDS = {
    "order_placed",
    "repriced",
    "replaced",
    "canceled",
    "expired",
    "rejected",
    "filled",
}
STREAMED_KINDS = {*ORDER_KINDS, "booked", "position_changed", "logged", "signalled", "status"}

# All of the cursor's own tick, where something may have come since, and whole ticks after it.
_EVENTS = """
SELECT e.*
FROM unnest(%(ids)s::uuid[], %(seqs)s::int[], %(lasts)s::int[]) AS c(session_id, seq, last_seq)
CROSS JOIN LATERAL (
    (
        SELECT * FROM bot_sessions_sessionevent
        WHERE session_id = c.session_id AND tick_seq = c.seq AND kind = ANY(%(kinds)s)
    ) UNION ALL (
        SELECT * FROM bot_sessions_sessionevent
        WHERE session_id = c.session_id AND tick_seq > c.seq AND tick_seq <= c.last_seq
            AND kind = ANY(%(kinds)s)
        ORDER BY tick_seq
        FETCH FIRST %(at_most)s ROWS WITH TIES
    )
) AS e
ORDER BY e.session_id, e.tick_seq, e.index
"""
# Chunks do not overlap: what comes after a tick begins in the last chunk that starts at or before
# the next one.
_CHUNKS = """
SELECT f.*
FROM unnest(%(ids)s::uuid[], %(seqs)s::int[], %(lasts)s::int[]) AS c(session_id, seq, last_seq)
CROSS JOIN LATERAL (
    SELECT * FROM bot_sessions_financialchunk
    WHERE session_id = c.session_id AND last_seq > c.seq AND first_seq <= c.last_seq
        AND first_seq >= COALESCE(
            (SELECT max(first_seq) FROM bot_sessions_financialchunk
             WHERE session_id = c.session_id AND first_seq <= c.seq + 1), 0)
    ORDER BY first_seq
    LIMIT %(at_most)s
) AS f
ORDER BY f.session_id, f.first_seq
"""

_ORDERS = """
SELECT o.*
FROM unnest(%(order_sessions)s::uuid[], %(order_numbers)s::int[]) AS w(session_id, number)
JOIN bot_sessions_order o USING (session_id, number)
"""
# Those of the orders, and those booked by themselves.
_TRANSACTIONS = """
SELECT t.* FROM (
    SELECT t.*
    FROM unnest(%(order_sessions)s::uuid[], %(order_numbers)s::int[]) AS w(session_id, order_number)
    JOIN bot_sessions_transaction t USING (session_id, order_number)
    UNION
    SELECT t.*
    FROM unnest(%(booked_sessions)s::uuid[], %(booked_numbers)s::int[]) AS w(session_id, number)
    JOIN bot_sessions_transaction t USING (session_id, number)
) AS t
ORDER BY t.session_id, t.number
"""


def read_after(session_id: uuid.UUID, cursor: Cursor) -> tuple[BotSession | None, list[Message]]:
    """The session and the next messages after a cursor; None if it is deleted."""
    return read_many({session_id: cursor}).get(session_id, (None, []))


def read_many(
    cursors: Mapping[uuid.UUID, Cursor],
) -> dict[uuid.UUID, tuple[BotSession, list[Message]]]:
    """Each session that is still there with its next messages: two queries, one more for those that
    are behind, two for the orders and transactions that anything happened to, and a few for each
    session whose positions changed.
    """
    rows = {row.pk: row for row in _sessions(ids=list(cursors)).rows()}
    wanted = {pk: (*cursors[pk], _reach(row)) for pk, row in rows.items()}
    events, points = _events(wanted), _points(rows, wanted)
    fresh = {pk: [row for row in events[pk] if _cursor_of(row) > cursors[pk]] for pk in rows}
    books = Books.of(itertools.chain.from_iterable(fresh.values()))
    found = {}
    for pk, row in rows.items():
        messages = _event_messages(row, fresh[pk], books) + _financials(points[pk])
        messages.sort(key=lambda item: item[0])
        later = [event for event in events[pk] if event.tick_seq > cursors[pk][0]]
        found[pk] = row, _complete(messages, later, points[pk])
    return found


@Prepared
def _sessions(ids: list[uuid.UUID]) -> QuerySet[BotSession]:
    return BotSession.objects.filter(IsAnyOf("pk", ids)).defer("state")


def _reach(row: BotSession) -> int:
    """The tick that ends what is read with this row; what commits meanwhile is for the next."""
    return row.last_tick_seq


def _events(wanted: Wanted) -> dict[uuid.UUID, list[SessionEvent]]:
    found: dict[uuid.UUID, list[SessionEvent]] = defaultdict(list)
    parameters = {
        "ids": list(wanted),
        "seqs": [seq for seq, _, _ in wanted.values()],
        "lasts": [last for _, _, last in wanted.values()],
        "kinds": sorted(STREAMED_KINDS),
        "at_most": EVENTS_AT_ONCE,
    }
    for row in SessionEvent.objects.raw(_EVENTS, parameters):
        found[row.session_id].append(row)
    return found


def _points(
    rows: Mapping[uuid.UUID, BotSession], wanted: Wanted
) -> dict[uuid.UUID, list[list[int]]]:
    """The points of each session, the oldest first, at most POINTS_AT_ONCE.

    Who follows has them from the row's tail; chunks are read for those that are behind.
    """
    after = {
        pk: seq - 1 if place < FINANCIAL_PLACE else seq for pk, (seq, place, _) in wanted.items()
    }
    tails = {pk: financials.tail_matrix(row.tail) for pk, row in rows.items()}
    behind = {pk for pk, tail in tails.items() if not len(tail) or after[pk] < tail[0, 0] - 1}
    chunks = _chunks({pk: (after[pk], wanted[pk][2]) for pk in behind})
    found: dict[uuid.UUID, list[list[int]]] = defaultdict(list)
    for pk in rows:
        own = chunks[pk]
        is_whole = len(own) < POINTS_AT_ONCE
        matrix = financials.with_tail(financials.joined(own), rows[pk].tail if is_whole else b"")
        is_wanted = (matrix[:, 0] > after[pk]) & (matrix[:, 0] <= wanted[pk][2])
        found[pk] = matrix[is_wanted][:POINTS_AT_ONCE].tolist()
    return found


def _chunks(spans: Mapping[uuid.UUID, tuple[int, int]]) -> dict[uuid.UUID, list[FinancialChunk]]:
    """The first chunks of each session that hold points after a tick and up to another."""
    found: dict[uuid.UUID, list[FinancialChunk]] = defaultdict(list)
    if not spans:
        return found
    parameters = {
        "ids": list(spans),
        "seqs": [after for after, _ in spans.values()],
        "lasts": [last for _, last in spans.values()],
        "at_most": POINTS_AT_ONCE,
    }
    for chunk in FinancialChunk.objects.raw(_CHUNKS, parameters):
        found[chunk.session_id].append(chunk)
    return found


def place_of(row: SessionEvent) -> int:
    """Where a row stands within its tick: behind whatever was committed at that tick before it."""
    if row.kind == "status":
        return _place_of_status(Status(row.data["status"]))
    if row.index < CLOSE_INDEX:
        return row.index
    for beginning, place in _GROUPS:
        if row.index >= beginning:
            return place + row.index - beginning
    raise AssertionError(f"index {row.index} has no place")


# Where the rows of a commit begin: by their indices in the database, and here.
_GROUPS = (
    (FAILURE_INDEX, FAILURE_PLACE),
    (REQUEST_INDEX, REQUEST_PLACE),
    (SETTLEMENT_INDEX, SETTLEMENT_PLACE),
    (CLOSE_INDEX, CLOSE_PLACE),
)


def _place_of_status(status: Status) -> int:
    number = list(Status).index(status)
    if status is Status.KILLING:
        return KILLING_PLACE
    if status is Status.SETTLING:
        return SETTLING_PLACE
    return ENTERED_PLACE + number if status in LIVE else ENDED_PLACE + number


def _cursor_of(row: SessionEvent) -> Cursor:
    return row.tick_seq, place_of(row)


def _financials(points: list[list[int]]) -> list[Message]:
    return [
        ((point[0], FINANCIAL_PLACE), "financial", shapes.financial_object(point))
        for point in points
    ]


def _complete(
    messages: list[Message], rows: list[SessionEvent], points: list[list[int]]
) -> list[Message]:
    """Cut where one of the two sources may have more to say about the same ticks."""
    ends = []
    if len(rows) >= EVENTS_AT_ONCE:
        ends.append((rows[-1].tick_seq, ENDED_PLACE * 2))
    if len(points) == POINTS_AT_ONCE:
        ends.append((points[-1][0], FINANCIAL_PLACE))
    return [item for item in messages if item[0] <= min(ends)] if ends else messages


@dataclass(frozen=True, slots=True)
class Books:
    """The orders and transactions that events tell of, whichever sessions they belong to."""

    orders: dict[uuid.UUID, dict[int, Order]]
    transactions: dict[uuid.UUID, list[Transaction]]

    @classmethod
    def of(cls, events: Iterable[SessionEvent]) -> Books:
        """Two queries at most."""
        orders, booked = set(), set()
        for event in events:
            if event.kind in ORDER_KINDS:
                orders.add((event.session_id, event.data["order"]))
            elif event.kind == "booked":
                booked.add((event.session_id, event.data["number"]))
        found = cls(defaultdict(dict), defaultdict(list))
        if orders:
            for order in Order.objects.raw(_ORDERS, _columns("order", orders)):
                found.orders[order.session_id][order.number] = order
        if orders or booked:
            wanted = _columns("order", orders) | _columns("booked", booked)
            for transaction in Transaction.objects.raw(_TRANSACTIONS, wanted):
                found.transactions[transaction.session_id].append(transaction)
        return found


def _columns(name: str, numbers: Iterable[tuple[uuid.UUID, int]]) -> dict[str, list[Any]]:
    pairs = list(numbers)
    return {
        f"{name}_sessions": [session_id for session_id, _ in pairs],
        f"{name}_numbers": [number for _, number in pairs],
    }


def _event_messages(session: BotSession, rows: list[SessionEvent], books: Books) -> list[Message]:
    if not rows:
        return []
    orders, transactions = books.orders[session.pk], books.transactions[session.pk]
    by_number = {row.number: row for row in transactions}
    moved = any(row.kind == "position_changed" for row in rows)
    marked = queries.marked_positions(session) if moved else []
    positions = {row.position.instrument: row for row in marked}
    shaped = {row["id"]: row for row in shapes.order_objects(orders.values(), transactions)}
    return [(_cursor_of(row), *_shape(row, orders, shaped, by_number, positions)) for row in rows]


def _shape(
    row: SessionEvent,
    orders: dict[int, Order],
    shaped: dict[str, dict[str, Any]],
    transactions: dict[int, Transaction],
    positions: dict[str, queries.MarkedPosition],
) -> tuple[str, dict[str, Any]]:
    if row.kind in ORDER_KINDS:
        return "order", shaped[str(orders[row.data["order"]].pk)]
    if row.kind == "booked":
        return "transaction", shapes.transaction_object(transactions[row.data["number"]])
    if row.kind == "position_changed":
        marked = positions[row.data["contract"]]
        position: Position = marked.position
        return "position", shapes.position_object(position, marked.mark_half_cents, marked.delta_e4)
    if row.kind == "status":
        return "status", {"datetime": rfc3339(row.at), **row.data}
    return "decision", _decision(row)


def _decision(row: SessionEvent) -> dict[str, Any]:
    data = row.data
    return {
        "seq": data["number"],
        "datetime": rfc3339(row.at),
        "kind": "log" if row.kind == "logged" else "signal",
        "name": data.get("name"),
        "message": data.get("message"),
        "data": data["data"],
    }
