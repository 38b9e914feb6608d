"""The session's stream: `financial`, `order`, `position`, `transaction`, `decision`, `status`.

Everything comes from the committed rows, so a stream that reconnects with `Last-Event-ID` misses
nothing and repeats nothing. `status` of the moment of connecting has no id: it belongs to no tick.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator

from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.streaming import streaming_user
from common import errors, schema, sse
from common.schema import StreamDescription, described_by, last_event_id
from common.views import check_parameters
from sessions import examples, queries, shapes
from sessions.messages import Cursor, read_after
from sessions.models import BotSession
from sessions.tail import encoded, tail

_LAST_EVENT_ID = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


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
            **schema.errors(400, 404),
        },
    )
    def get(self, request: Request) -> None:
        super().get(request)


class BadEventId(errors.InvalidInput):
    """Last-Event-ID is not "tick.index"."""


@described_by(SessionStream)
@sse.stream_view
async def session_stream(
    request: HttpRequest, bot_id: uuid.UUID, session_id: uuid.UUID
) -> AsyncIterator[bytes]:
    user = await streaming_user(request)
    check_parameters(request.GET, known=())
    session = await sse.read_first(queries.session_of, user, bot_id, session_id)
    given = request.headers.get("Last-Event-ID", "")
    found = _LAST_EVENT_ID.fullmatch(given)
    if given and not found:
        raise BadEventId("Last-Event-ID must be an id of this stream, such as 1234.5.")
    # Without an id the stream starts with what comes next; the reads give what was before.
    start = (int(found[1]), int(found[2])) if found else (session.last_tick_seq, 10**9)
    return _messages(session, start)


async def _messages(session: BotSession, cursor: Cursor) -> AsyncIterator[bytes]:
    status = ""
    sent_at = time.monotonic()
    async with tail().watched(session) as (watched, woken):
        while True:
            woken.clear()
            row, batch = watched.row, watched.after(cursor)
            if batch is None:
                row, messages = await sse.read(read_after, session.pk, cursor)
                batch = encoded(messages)
            if row is None:
                return  # deleted
            if batch:
                yield b"".join([text for _, text in batch])
                cursor = batch[-1][0]
            if row.status != status:
                status = row.status
                yield sse.message("status", shapes.session_object(row))
            elif not batch and row.settled_at is not None:
                return  # nothing comes any more; the client may close
            elif not batch and time.monotonic() - sent_at >= sse.KEEP_ALIVE_SECONDS:
                yield sse.KEEP_ALIVE
            elif not batch:
                left_seconds = sent_at + sse.KEEP_ALIVE_SECONDS - time.monotonic()
                await sse.wait(woken, at_most_seconds=left_seconds)
                continue
            sent_at = time.monotonic()
