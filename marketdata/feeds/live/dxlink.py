"""dxLink, the WebSocket protocol of dxFeed (version 0.1 of its AsyncAPI description).

One connection, one FEED channel, events in the COMPACT format: arrays of values in the order the
server's FEED_CONFIG names them. Numbers stay exact decimals; what is not a number (dxFeed writes
"NaN") stays a string. A message nobody can read is counted and skipped, many in a row end the
connection. ERROR messages are for information, but for those after which nothing will come.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from marketdata.feeds.live.vendor import VendorError

log = logging.getLogger(__name__)
# The library's own logger writes every frame when it is on DEBUG, the one with the token too.
_frames = logging.getLogger("marketdata.feeds.live.frames")
_frames.setLevel(logging.WARNING)
_frames.propagate = False

VERSION = "0.1-zerohour/1.0"
CHANNEL = 1
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
KEEPALIVE_TIMEOUT_SECONDS = 60  # the server may give up after so long without a word from us
KEEPALIVE_EVERY_SECONDS = 20.0
SERVER_SPEAKS_WITHIN_SECONDS = 30  # asked of the server
DEAD_AFTER_SECONDS = 45.0
AGGREGATION_SECONDS = 0.1
SYMBOLS_A_MESSAGE = 100
MAX_MESSAGE_BYTES = 16_000_000
UNREADABLE_IN_A_ROW = 20
FATAL_ERRORS = {"TIMEOUT", "UNAUTHORIZED", "UNSUPPORTED_PROTOCOL"}
FIELDS = {
    "Quote": ["eventSymbol", "bidTime", "askTime", "bidPrice", "askPrice"],
    "Trade": ["eventSymbol", "time", "price"],
    "Summary": [
        "eventSymbol",
        "dayId",
        "dayClosePrice",
        "dayClosePriceType",
        "prevDayId",
        "prevDayClosePrice",
        "prevDayClosePriceType",
    ],
}

Subscription = tuple[str, str]  # event type, symbol
DxEvent = tuple[str, dict[str, Any]]  # event type, values by field


class TokenRefused(VendorError):
    """The token of this connection is not, or no longer, accepted; a new one may be."""


class DxLink:
    """An authorised connection with an open feed. Not for use by two threads at once."""

    def __init__(self, url: str, token: str, *, monotonic: Callable[[], float]) -> None:
        """Connects and sets up the feed. Raises TokenRefused, VendorError."""
        self.counts: Counter[str] = Counter()
        self._monotonic = monotonic
        self._fields: dict[str, list[str]] = {}
        self._unreadable = 0
        self._open = ExitStack()
        self._socket = self._connected(url)
        self._sent_at = self._heard_at = monotonic()
        try:
            self._shake_hands(token)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._open.close()

    def subscribe(
        self, *, add: Collection[Subscription] = (), remove: Collection[Subscription] = ()
    ) -> None:
        """In messages small enough for the server. Raises VendorError."""
        for verb, wanted in (("remove", sorted(remove)), ("add", sorted(add))):
            for first in range(0, len(wanted), SYMBOLS_A_MESSAGE):
                rows = wanted[first : first + SYMBOLS_A_MESSAGE]
                entries = [{"type": kind, "symbol": symbol} for kind, symbol in rows]
                self._send("FEED_SUBSCRIPTION", CHANNEL, **{verb: entries})

    def receive(self, timeout_seconds: float) -> list[DxEvent]:
        """The events of the next message; none for a heartbeat, or if nothing came in time.

        Raises TokenRefused, VendorError.
        """
        self._keep_alive()
        message = self._next(timeout_seconds)
        if message is None:
            return []
        try:
            events = list(self._events_of(message))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            self._skip(f"{type(exc).__name__} in {str(message.get('type'))[:40]}")
            return []
        self._unreadable = 0
        return events

    def _connected(self, url: str) -> ClientConnection:
        try:
            opening = connect(
                url,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=None,  # dxLink has a heartbeat of its own
                max_size=MAX_MESSAGE_BYTES,
                logger=_frames,
            )
            return self._open.enter_context(opening)
        except (WebSocketException, OSError, TimeoutError) as exc:
            raise VendorError(f"cannot connect to {url}: {exc}") from exc

    def _shake_hands(self, token: str) -> None:
        self._send(
            "SETUP",
            0,
            version=VERSION,
            keepaliveTimeout=KEEPALIVE_TIMEOUT_SECONDS,
            acceptKeepaliveTimeout=SERVER_SPEAKS_WITHIN_SECONDS,
        )
        if self._until("AUTH_STATE").get("state") != "AUTHORIZED":
            self._send("AUTH", 0, token=token)
            if self._until("AUTH_STATE").get("state") != "AUTHORIZED":
                raise TokenRefused("the quote token is not accepted")
        self._send("CHANNEL_REQUEST", CHANNEL, service="FEED", parameters={"contract": "AUTO"})
        self._until("CHANNEL_OPENED")
        self._send(
            "FEED_SETUP",
            CHANNEL,
            acceptAggregationPeriod=AGGREGATION_SECONDS,
            acceptDataFormat="COMPACT",
            acceptEventFields=FIELDS,
        )

    def _until(self, kind: str) -> dict[str, Any]:
        """The next message of that kind. Raises TokenRefused, VendorError, also after a while."""
        deadline = self._monotonic() + OPEN_SECONDS
        while (left := deadline - self._monotonic()) > 0:
            message = self._next(left) or {}
            if message.get("type") == kind:
                return message
            if message.get("type") == "ERROR":
                raise _trouble(message)
        raise VendorError(f"no {kind} within {OPEN_SECONDS:g} s")

    def _events_of(self, message: dict[str, Any]) -> Iterator[DxEvent]:
        match message["type"]:
            case "FEED_DATA":
                yield from self._decoded(message["data"])
            case "FEED_CONFIG":
                for kind, names in (message.get("eventFields") or {}).items():
                    self._fields[str(kind)] = [str(name) for name in names]
            case "AUTH_STATE" if message.get("state") == "UNAUTHORIZED":
                raise TokenRefused("the quote token is no longer accepted")
            case "CHANNEL_CLOSED":
                raise VendorError("the server closed the feed's channel")
            case "ERROR":
                self.counts["error messages"] += 1
                if message.get("error") in FATAL_ERRORS:
                    raise _trouble(message)
                log.warning("dxLink says %s", _trouble(message))
            case _:
                self.counts["other messages"] += 1

    def _decoded(self, data: list[Any]) -> Iterator[DxEvent]:
        if data and isinstance(data[0], dict):  # the FULL format, if that is all the server has
            for values in data:
                yield str(values["eventType"]), values
            return
        for kind, flat in zip(data[::2], data[1::2], strict=True):
            names = self._fields[kind]
            if not isinstance(flat, list) or len(flat) % len(names):
                raise ValueError(f"{kind}: values do not fit its fields")
            for first in range(0, len(flat), len(names)):
                values = flat[first : first + len(names)]
                yield kind, dict(zip(names, values, strict=True))

    def _next(self, timeout_seconds: float) -> dict[str, Any] | None:
        """A message, or None if none came in time or it cannot be read."""
        try:
            text = self._socket.recv(timeout=timeout_seconds)
        except TimeoutError:
            quiet_seconds = self._monotonic() - self._heard_at
            if quiet_seconds > DEAD_AFTER_SECONDS:
                raise VendorError(f"not a word for {quiet_seconds:.0f} s") from None
            return None
        except (ConnectionClosed, OSError) as exc:
            raise VendorError(f"the connection ended: {exc}") from exc
        self._heard_at = self._monotonic()
        self.counts["messages"] += 1
        try:
            message = json.loads(text, parse_float=Decimal, parse_constant=str)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._skip("a message that is no JSON object")
            return None
        return message

    def _skip(self, why: str) -> None:
        self.counts["unreadable messages"] += 1
        self._unreadable += 1
        log.warning("dxLink: skipped %s", why)
        if self._unreadable >= UNREADABLE_IN_A_ROW:
            raise VendorError(f"{self._unreadable} unreadable messages in a row")

    def _keep_alive(self) -> None:
        if self._monotonic() - self._sent_at >= KEEPALIVE_EVERY_SECONDS:
            self._send("KEEPALIVE", 0)

    def _send(self, kind: str, channel: int, **values: Any) -> None:
        try:
            self._socket.send(json.dumps({"type": kind, "channel": channel, **values}))
        except (ConnectionClosed, OSError) as exc:
            raise VendorError(f"the connection ended: {exc}") from exc
        self._sent_at = self._monotonic()


def _trouble(message: dict[str, Any]) -> VendorError:
    kind, text = str(message.get("error", "UNKNOWN")), str(message.get("message", ""))[:200]
    return TokenRefused(text) if kind == "UNAUTHORIZED" else VendorError(f"{kind}: {text}")
