"""The market's stream: one `market` event a market second with spot, VIX and expected move.

Events come from the tick log, woken by Redis; an id is "date.seq", and `Last-Event-ID` continues
right after it on the day that is running. A new stream starts with the latest tick. `status` comes
with the connection and whenever the day or its phase changes.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.streaming import streaming_user
from common import errors, schema, sse
from common.schema import StreamDescription, described_by, last_event_id
from common.views import check_parameters
from marketdata import queries, shapes
from marketdata.lines import rows_after
from marketdata.wakeups import TICKS_CHANNEL

POLL_SECONDS = 1.0
ROWS_AT_ONCE = 600
_LAST_EVENT_ID = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d{1,9})")

EXAMPLE = OpenApiExample(
    "a second",
    value=(
        "id: 2026-05-07.1234\nevent: market\n"
        'data: {"datetime":"2026-05-07T13:50:33.000Z","spx":"5951.05","vix":"16.20",'
        '"expected_move":"21.50"}\n\n'
    ),
    media_type="text/event-stream",
    response_only=True,
    status_codes=["200"],
)

Cursor = tuple[date, int]


class MarketStream(StreamDescription):
    @extend_schema(
        summary="The market, second by second",
        description=(
            "Server-Sent Events without an end: `market` each market second, `status` when you "
            "connect and whenever the day or its phase changes. A comment every 15 quiet seconds."
        ),
        tags=["market data"],
        parameters=[last_event_id("2026-05-07.1234")],
        responses={
            (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, "Events", [EXAMPLE]),
            **schema.errors(400),
        },
    )
    def get(self, request: Request) -> None:
        super().get(request)


class BadEventId(errors.InvalidInput):
    """Last-Event-ID is not "date.seq"."""


@described_by(MarketStream)
@sse.stream_view
async def market_stream(request: HttpRequest) -> AsyncIterator[bytes]:
    await streaming_user(request)
    check_parameters(request.GET, known=())
    given = request.headers.get("Last-Event-ID", "")
    cursor = _cursor_of(given)
    if given and cursor is None:
        raise BadEventId("Last-Event-ID must be an id of this stream, such as 2026-05-07.1234.")
    return _messages(cursor)


def _cursor_of(text: str) -> Cursor | None:
    found = _LAST_EVENT_ID.fullmatch(text)
    try:
        return (date.fromisoformat(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


async def _messages(cursor: Cursor | None) -> AsyncIterator[bytes]:
    told: tuple[Any, ...] | None = None
    quiet_since = time.monotonic()
    async with sse.hub().subscribed(TICKS_CHANNEL) as woken:
        while True:
            woken.clear()
            now, cursor, rows = await sse.read_together(read_after, cursor)
            state = (now.trading_date, now.phase, now.is_healthy)
            if state != told:
                told = state
                yield sse.message("status", shapes.status_object(now))
                quiet_since = time.monotonic()
            for event_id, row in rows:
                yield sse.message("market", row, event_id=event_id)
                quiet_since = time.monotonic()
            if len(rows) == ROWS_AT_ONCE:
                continue
            if time.monotonic() - quiet_since > sse.KEEP_ALIVE_SECONDS:
                yield sse.KEEP_ALIVE
                quiet_since = time.monotonic()
            await sse.wait(woken, at_most_seconds=POLL_SECONDS)


def read_after(
    cursor: Cursor | None,
) -> tuple[queries.MarketNow, Cursor | None, list[tuple[str, dict[str, Any]]]]:
    """The market, the cursor after them, and the next events (id, data) of the running day."""
    now = queries.market_now()
    day = now.day
    if day is None:
        return now, cursor, []
    if cursor is None:
        cursor = (day.trading_date, max(0, day.last_seq - 1))
    elif cursor[0] != day.trading_date:
        cursor = (day.trading_date, 0)
    found = rows_after(day.trading_date, cursor[1], ROWS_AT_ONCE)
    if found:
        cursor = (day.trading_date, found[-1][0])
    return now, cursor, [(f"{day.pk}.{seq}", shapes.line_object(row)) for seq, row in found]
