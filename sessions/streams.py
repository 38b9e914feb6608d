"""The session's stream: `financial`, `order`, `position`, `transaction`, `decision`, `status`.

Everything comes from the committed rows, so a stream that reconnects with `Last-Event-ID` misses
nothing and repeats nothing. An id is "tick.index": events have their index within the tick, the
tick's financial row stands between the engine's events and those of the close. `status` of the
moment of connecting has no id: it belongs to no tick.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.streaming import streaming_user, unauthorized
from common import sse
from common.api import error_body
from common.schema import StreamDescription, described_by, errors, last_event_id
from common.times import rfc3339
from sessions import examples, financials, queries, shapes
from sessions.models import BotSession, Order, Position, SessionEvent, Transaction
from sessions.wakeups import MOVED_CHANNEL

FINANCIAL_INDEX = 499  # after the engine's events of a tick, before those of the close (500 on)
EVENTS_AT_ONCE = 500
POINTS_AT_ONCE = 600
POLL_SECONDS = 1.0
_LAST_EVENT_ID = re.compile(r"(\d{1,9})\.(\d{1,9})")

Cursor = tuple[int, int]
Message = tuple[Cursor, str, dict[str, Any]]

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


class SessionStream(StreamDescription):
    @extend_schema(
        summary="A session as it happens",
        description=(
            "Server-Sent Events: `financial` each second, `order`, `position`, `transaction`, "
            "`decision`, `status`, with the shapes of the reads. Begins with `status`, ends when "
            "the session is settled. A comment every 15 quiet seconds."
        ),
        parameters=[last_event_id("1234.5")],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR, "Events", [examples.STREAM]
            ),
            **errors(400, 404),
        },
    )
    def get(self, request: Request) -> None:
        super().get(request)


@described_by(SessionStream)
async def session_stream(
    request: HttpRequest, bot_id: uuid.UUID, session_id: uuid.UUID
) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        refusal = HttpResponseNotAllowed(["GET"])
        return JsonResponse(
            error_body("method_not_allowed", "A stream is read with GET."),
            status=405,
            headers={"Allow": refusal["Allow"]},
        )
    user = await streaming_user(request)
    if user is None:
        return unauthorized()
    try:
        session = await sync_to_async(queries.session_of)(user, bot_id, session_id)
    except queries.SessionNotFound as exc:
        return JsonResponse(error_body(exc.code, exc.message), status=exc.status)
    given = request.headers.get("Last-Event-ID", "")
    found = _LAST_EVENT_ID.fullmatch(given)
    if given and not found:
        text = "Last-Event-ID must be an id of this stream, such as 1234.5."
        return JsonResponse(error_body("invalid_input", text), status=400)
    # Without an id the stream starts with what comes next; the reads give what was before.
    start = (int(found[1]), int(found[2])) if found else (session.last_tick_seq, 10**9)
    return sse.response(_messages(session, start))


async def _messages(session: BotSession, cursor: Cursor) -> AsyncIterator[bytes]:
    status = ""
    quiet_since = time.monotonic()
    async with sse.hub().subscribed(MOVED_CHANNEL) as woken:
        while True:
            woken.clear()
            now, batch = await sync_to_async(read_after)(session.pk, cursor)
            if now is None:
                return  # deleted
            for at, event, data in batch:
                yield sse.message(event, data, event_id=f"{at[0]}.{at[1]}")
                cursor = at
            if now.status != status:
                status = now.status
                yield sse.message("status", shapes.session_object(now))
                quiet_since = time.monotonic()
            if batch:
                quiet_since = time.monotonic()
                continue
            if now.settled_at is not None:
                return  # nothing comes any more; the client may close
            if time.monotonic() - quiet_since > sse.KEEP_ALIVE_SECONDS:
                yield sse.KEEP_ALIVE
                quiet_since = time.monotonic()
            await sse.wait(woken, at_most_seconds=POLL_SECONDS)


def read_after(session_id: uuid.UUID, cursor: Cursor) -> tuple[BotSession | None, list[Message]]:
    """The session and the next messages after a cursor, in the order of their ids."""
    session = BotSession.objects.defer("state").filter(pk=session_id).first()
    if session is None:
        return None, []
    seq, index = cursor
    rows = list(
        session.events.filter(kind__in=STREAMED_KINDS)
        .filter(Q(tick_seq=seq, index__gt=index) | Q(tick_seq__gt=seq))
        .order_by("tick_seq", "index")[:EVENTS_AT_ONCE]
    )
    messages = _event_messages(session, rows)
    after_seq = seq - 1 if index < FINANCIAL_INDEX else seq
    for point in financials.line(session, after_seq=after_seq)[:POINTS_AT_ONCE].tolist():
        data = shapes.financial_object(point)
        messages.append(((point[0], FINANCIAL_INDEX), "financial", data))
    messages.sort(key=lambda item: item[0])
    return session, _complete(messages, len(rows))


def _complete(messages: list[Message], event_count: int) -> list[Message]:
    """Cut where one of the two sources may have more to say about the same ticks."""
    points = [at for at, event, _ in messages if event == "financial"]
    if event_count < EVENTS_AT_ONCE and len(points) < POINTS_AT_ONCE:
        return messages
    ends = []
    if event_count == EVENTS_AT_ONCE:
        ends.append(max(at for at, event, _ in messages if event != "financial"))
    if len(points) == POINTS_AT_ONCE:
        ends.append(points[-1])
    return [item for item in messages if item[0] <= min(ends)]


def _event_messages(session: BotSession, rows: list[SessionEvent]) -> list[Message]:
    numbers: dict[str, set[Any]] = {"order": set(), "transaction": set(), "position": set()}
    for row in rows:
        if row.kind in ORDER_KINDS:
            numbers["order"].add(row.data["order"])
        elif row.kind == "booked":
            numbers["transaction"].add(row.data["number"])
        elif row.kind == "position_changed":
            numbers["position"].add(row.data["contract"])
    orders = {row.number: row for row in _orders(session, numbers["order"])}
    transactions = list(session.transactions.filter(order_number__in=orders))
    settled = session.transactions.filter(number__in=numbers["transaction"])
    by_number = {row.number: row for row in [*transactions, *settled]}
    positions = (
        {row.position.instrument: row for row in queries.marked_positions(session)}
        if numbers["position"]
        else {}
    )
    shaped = {row["id"]: row for row in shapes.order_objects(orders.values(), transactions)}
    return [
        ((row.tick_seq, row.index), *_shape(row, orders, shaped, by_number, positions))
        for row in rows
    ]


def _orders(session: BotSession, numbers: set[int]) -> list[Order]:
    return list(session.orders.filter(number__in=numbers)) if numbers else []


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
