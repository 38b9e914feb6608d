"""tastytrade on this machine: its REST answers and a dxLink server, as its public pages have them.

REST: POST /oauth/token, GET /api-quote-tokens, GET /option-chains/SPX/nested, each with the
vendor's errors. dxLink (AsyncAPI 1.0.2): SETUP, AUTH, AUTH_STATE, CHANNEL_REQUEST, FEED_SETUP,
FEED_CONFIG, FEED_SUBSCRIPTION, FEED_DATA in COMPACT format, KEEPALIVE, ERROR. The server names
event fields in an order of its own, as a server may. What goes wrong is switched on by a test.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

CLIENT_SECRET = "client-secret-7f3a"
REFRESH_TOKEN = "refresh-token-91cc"
ACCESS_TOKEN = "access-token"
QUOTE_TOKEN = "quote-token"
FIELDS = {
    "Quote": ["eventType", "eventSymbol", "bidPrice", "askPrice", "bidTime", "askTime"],
    "Trade": ["eventType", "eventSymbol", "price", "time"],
    "Summary": [
        "eventType",
        "eventSymbol",
        "dayId",
        "dayClosePrice",
        "dayClosePriceType",
        "prevDayId",
        "prevDayClosePrice",
        "prevDayClosePriceType",
    ],
}


@dataclass
class Trouble:
    """What is wrong at the vendor just now."""

    token_answer: tuple[int, Any] | None = None  # of POST /oauth/token
    quote_token_answer: tuple[int, Any] | None = None
    chain_answer: tuple[int, Any] | None = None
    revokes_access_tokens: bool = False  # GETs answer 401 to the next token they see, once
    refuses_quote_tokens: bool = False
    is_silent: bool = False  # the socket stays open and nothing comes: half open
    sends_only_heartbeats: bool = False
    sends_no_option_quotes: bool = False
    never_opens_channels: bool = False


@dataclass
class Connection:
    socket: ServerConnection
    subscribed: set[tuple[str, str]] = field(default_factory=set)
    is_authorised: bool = False
    is_open: bool = False
    is_set_up: bool = False


class VendorServer:
    """A context: serves on entry, gone on exit. `now_ms` is the vendor's clock."""

    def __init__(
        self,
        trading_date: date,
        *,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
        spot: float = 5950.0,
        strikes: range = range(5500, 6405, 5),
        period_seconds: float = 0.1,
    ) -> None:
        self.trading_date, self.now_ms = trading_date, now_ms
        self.spot, self.strikes, self.period_seconds = spot, strikes, period_seconds
        self.vix = 16.2
        self.official_close: tuple[float, str] | None = None  # value, dxFeed's kind of price
        self.trouble = Trouble()
        self.requests: list[str] = []
        self.received: list[dict[str, Any]] = []
        self.connections: list[Connection] = []
        self._issued = 0
        self._stopping = threading.Event()

    def __enter__(self) -> VendorServer:
        self._rest = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._rest.daemon_threads = True
        self._stream = serve(self._talk, "127.0.0.1", 0, ping_interval=None)
        threading.Thread(target=self._rest.serve_forever, args=(0.02,), daemon=True).start()
        threading.Thread(target=self._stream.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self.hang_up()
        self._stream.shutdown()
        self._rest.shutdown()
        self._rest.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._rest.server_port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self._stream.socket.getsockname()[1]}/realtime"

    @property
    def env(self) -> dict[str, str]:
        return {
            "TASTYTRADE_CLIENT_SECRET": CLIENT_SECRET,
            "TASTYTRADE_REFRESH_TOKEN": REFRESH_TOKEN,
            "TASTYTRADE_API_URL": self.url,
        }

    def symbol(self, right: str, strike: float) -> str:
        return f".SPXW{self.trading_date:%y%m%d}{right}{strike:g}"

    def hang_up(self) -> None:
        """End every connection, as a restarting server does."""
        for connection in self.connections:
            connection.socket.close()
        self.connections.clear()

    def send(self, text: str) -> None:
        """This very text to every client."""
        for connection in list(self.connections):
            connection.socket.send(text)

    def send_data(self, *data: Any) -> None:
        self.send(json.dumps({"type": "FEED_DATA", "channel": 1, "data": list(data)}))

    def send_quote(self, symbol: str, bid: Any, ask: Any, at_ms: int | None = None) -> None:
        at_ms = self.now_ms() if at_ms is None else at_ms
        self.send_data("Quote", ["Quote", symbol, bid, ask, at_ms, at_ms])

    def subscribed(self, kind: str = "Quote") -> set[str]:
        rows = [row for connection in self.connections for row in connection.subscribed]
        return {symbol for of, symbol in rows if of == kind}

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if "/" not in headers.get("User-Agent", ""):
            return 401, {"error": {"code": "unauthorized", "message": "No User-Agent"}}
        if path == "/oauth/token":
            return self._new_token(body)
        if headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}-{self._issued}":
            return 401, {"error": {"code": "token_invalid", "message": "This token is invalid"}}
        if self.trouble.revokes_access_tokens:
            self.trouble.revokes_access_tokens = False
            return 401, {"error": {"code": "token_invalid", "message": "This token has expired"}}
        if path == "/api-quote-tokens":
            data = {"token": QUOTE_TOKEN, "dxlink-url": self.stream_url, "level": "api"}
            return self.trouble.quote_token_answer or (200, {"data": data, "context": path})
        if path == "/option-chains/SPX/nested":
            return self.trouble.chain_answer or (200, {"data": self._chain(), "context": path})
        return 404, {"error": {"code": "not_found", "message": "Not here"}}

    def _new_token(self, body: Any) -> tuple[int, Any]:
        if self.trouble.token_answer is not None:
            return self.trouble.token_answer
        wanted = {
            "grant_type": "refresh_token",
            "refresh_token": REFRESH_TOKEN,
            "client_secret": CLIENT_SECRET,
        }
        if body != wanted:
            return 400, {
                "error_code": "invalid_grant",
                "error_description": "Grant revoked or invalid",
            }
        self._issued += 1
        token = f"{ACCESS_TOKEN}-{self._issued}"
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 900}

    def _chain(self) -> dict[str, Any]:
        strikes = [
            {
                "strike-price": f"{strike}.0",
                "call": f"SPXW  {self.trading_date:%y%m%d}C{strike:05d}000",
                "put": f"SPXW  {self.trading_date:%y%m%d}P{strike:05d}000",
                "call-streamer-symbol": self.symbol("C", strike),
                "put-streamer-symbol": self.symbol("P", strike),
            }
            for strike in self.strikes
        ]
        today = {
            "expiration-type": "Weekly",
            "expiration-date": self.trading_date.isoformat(),
            "days-to-expiration": 0,
            "settlement-type": "PM",
            "strikes": strikes,
        }
        later = {**today, "expiration-date": "2099-01-02", "strikes": strikes[:3]}
        morning = {**today, "settlement-type": "AM", "strikes": strikes[:1]}
        return {
            "items": [
                {"underlying-symbol": "SPX", "root-symbol": "SPX", "expirations": [morning]},
                {"underlying-symbol": "SPX", "root-symbol": "SPXW", "expirations": [today, later]},
            ]
        }

    def _talk(self, socket: ServerConnection) -> None:
        connection = Connection(socket)
        self.connections.append(connection)
        spoke = sent = time.monotonic()
        try:
            while not self._stopping.is_set():
                self._listen(connection)
                now = time.monotonic()
                if self.trouble.is_silent:
                    continue
                if connection.is_set_up and now - sent >= self.period_seconds:
                    self._send_market(connection)
                    sent = spoke = now
                elif now - spoke >= 1:
                    self._say(connection, "KEEPALIVE", 0)
                    spoke = now
        except ConnectionClosed:
            if connection in self.connections:
                self.connections.remove(connection)

    def _listen(self, connection: Connection) -> None:
        try:
            text = connection.socket.recv(timeout=min(0.05, self.period_seconds))
        except TimeoutError:
            return
        message = json.loads(text)
        self.received.append(message)
        self._obey(connection, message)

    def _obey(self, connection: Connection, message: dict[str, Any]) -> None:
        match message["type"]:
            case "SETUP":
                self._say(connection, "SETUP", 0, version="1.0-1.2.1", keepaliveTimeout=60)
                self._say(connection, "AUTH_STATE", 0, state="UNAUTHORIZED")
            case "AUTH":
                accepts = message["token"] == QUOTE_TOKEN and not self.trouble.refuses_quote_tokens
                connection.is_authorised = accepts
                state = "AUTHORIZED" if accepts else "UNAUTHORIZED"
                self._say(connection, "AUTH_STATE", 0, state=state)
            case _ if not connection.is_authorised:
                self._complain(connection, "UNAUTHORIZED", "Not authorized")
            case "CHANNEL_REQUEST":
                if not self.trouble.never_opens_channels:
                    connection.is_open = True
                    self._say(connection, "CHANNEL_OPENED", 1, service="FEED")
            case "FEED_SETUP":
                self._say(connection, "FEED_CONFIG", 1, dataFormat="COMPACT", aggregationPeriod=0.1)
                self._say(connection, "FEED_CONFIG", 1, eventFields=FIELDS)
                connection.is_set_up = True
            case "FEED_SUBSCRIPTION":
                for verb in ("remove", "add"):
                    rows = {(row["type"], row["symbol"]) for row in message.get(verb, [])}
                    change = {"add": set.update, "remove": set.difference_update}[verb]
                    change(connection.subscribed, rows)
            case "KEEPALIVE":
                pass
            case kind:
                self._complain(connection, "BAD_ACTION", f"Unknown message {kind}")

    def _send_market(self, connection: Connection) -> None:
        if self.trouble.sends_only_heartbeats:
            self._say(connection, "KEEPALIVE", 0)
            return
        flat: dict[str, list[Any]] = {"Trade": [], "Quote": [], "Summary": []}
        for kind, symbol in sorted(connection.subscribed):
            if kind == "Quote" and self.trouble.sends_no_option_quotes:
                continue
            flat[kind] += self._event(kind, symbol)
        data = [part for kind, values in flat.items() if values for part in (kind, values)]
        self._say(connection, "FEED_DATA", 1, data=data)

    def _event(self, kind: str, symbol: str) -> list[Any]:
        now = self.now_ms()
        if kind == "Trade":
            return [kind, symbol, self.spot if symbol == "SPX" else self.vix, now]
        if kind == "Summary":
            value, of_kind = self.official_close or ("NaN", "REGULAR")
            day = (self.trading_date - date(1970, 1, 1)).days
            return [kind, symbol, day, value, of_kind, day - 1, 5923.45, "FINAL"]
        right, strike = symbol[11], float(symbol[12:])
        bid, ask = quote(self.spot, right, strike)
        return [kind, symbol, bid, ask, now, now]

    def _complain(self, connection: Connection, error: str, message: str) -> None:
        self._say(connection, "ERROR", 0, error=error, message=message)

    def _say(self, connection: Connection, kind: str, channel: int, **values: Any) -> None:
        connection.socket.send(json.dumps({"type": kind, "channel": channel, **values}))


def quote(spot: float, right: str, strike: float) -> tuple[float, float]:
    """Bid and ask in dollars on the exchange's grid: intrinsic value and some time value."""
    intrinsic = max(0.0, spot - strike if right == "C" else strike - spot)
    price = intrinsic + 10 * math.exp(-abs(spot - strike) / 15)
    step = 0.05 if price < 2.8 else 0.1
    bid = round(math.floor(price / step) * step, 2)
    return bid, round(bid + step, 2)


def _handler(server: VendorServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond(None)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._respond(json.loads(self.rfile.read(length)))

        def _respond(self, body: Any) -> None:
            status, answer = server.answer(self.command, self.path, self.headers, body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Quiet: a test's output is its own."""

    return Handler
