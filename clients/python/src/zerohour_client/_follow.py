"""A stream over as many connections as it takes, without I/O.

A transport opens a connection with `headers()`, hands over what comes, and says how it ended; the
follower decides whether to connect again, after how long, and what the caller gets to see.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

import httpx
from httpx_sse import ServerSentEvent

from zerohour_client._calls import StreamCall
from zerohour_client._exchange import failure_of, retry_after_seconds
from zerohour_client.errors import UnexpectedAnswer
from zerohour_client.retry import OUTAGE_STATUSES, REFUSED_STATUS, RetryPolicy

T = TypeVar("T")

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class StreamEvent(Generic[T]):
    """`data` as it happened. A new stream with `after=id` goes on right behind it."""

    event: str
    data: T
    id: str | None


class Follower(Generic[T]):
    """Where a stream stands.

    It gives up after `policy.attempts` connections in a row that could not be opened. One that
    opened is always followed by another, sooner if it brought something new.
    """

    def __init__(self, call: StreamCall[T], policy: RetryPolicy, rng: Random) -> None:
        self._call = call
        self._policy = policy
        self._rng = rng
        self._cursor = call.after
        self._is_told_the_end = False
        self._unopened = 0
        self._fruitless = 0
        self.is_over = False
        self.pause_seconds = 0.0

    def headers(self) -> dict[str, str]:
        return {} if self._cursor is None else {"Last-Event-ID": self._cursor}

    def opened(self, response: httpx.Response) -> bool:
        """Whether events can be read; if not, the connection counts as dropped.

        Raises ApiError for a refusal that stays one, UnexpectedAnswer for what is no stream.
        """
        if not response.is_success:
            self._not_opened(response)
            return False
        if not response.headers.get("Content-Type", "").startswith(EVENT_STREAM):
            raise UnexpectedAnswer(f"{response.request.url.path} answered no stream of events.")
        self._unopened = 0
        return True

    def received(self, sse: ServerSentEvent) -> StreamEvent[T] | None:
        """The event for the caller; None for one that carries nothing, such as a heartbeat."""
        if not sse.data:
            return None
        try:
            raw = json.loads(sse.data)
        except ValueError as exc:
            raise UnexpectedAnswer(f"An event of {self._call.path} is no JSON.") from exc
        data = self._call.decode(sse.event, raw)
        if self._call.is_last is not None and self._call.is_last(data):
            self._is_told_the_end = True
        if sse.id and sse.id != self._cursor:
            self._cursor = sse.id
            self._fruitless = 0
        return StreamEvent(sse.event, data, self._cursor)

    def ended(self) -> None:
        """The server closed the stream: for good if it had told us the end."""
        self.is_over = self._is_told_the_end
        self._pause()

    def dropped(self, error: httpx.TransportError, *, was_open: bool) -> None:
        """The connection was not made, broke, or fell silent."""
        if was_open:
            self._pause()
        else:
            self._not_opened(error)

    def _not_opened(self, outcome: httpx.Response | httpx.TransportError) -> None:
        self._unopened += 1
        self._pause()
        if isinstance(outcome, httpx.Response):
            status = outcome.status_code
            may_pass = status == REFUSED_STATUS or status in OUTAGE_STATUSES
            asked_seconds = retry_after_seconds(outcome) or 0.0
            self.pause_seconds = max(self.pause_seconds, asked_seconds)
            if not may_pass or asked_seconds > self._policy.max_retry_after_seconds:
                raise failure_of(outcome)
        if self._unopened >= self._policy.attempts:
            raise failure_of(outcome)

    def _pause(self) -> None:
        self._fruitless += 1
        self.pause_seconds = self._policy.backoff_seconds(self._fruitless, self._rng)
