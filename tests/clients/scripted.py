"""A small HTTP server that answers, breaks off or falls silent as it is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from zerohour_client._shapes import encode

SILENCE_SECONDS = 20  # longer than any test is patient


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Answer = Callable[["_Handler"], None]


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """JSON, or nothing for None. Underscores in header names stand for dashes."""

    def write(handler: _Handler) -> None:
        content = b"" if body is None else json.dumps(encode(body)).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return write


def refusal(status: int, code: str, message: str = "No.", **headers: str) -> Answer:
    return answer(status, {"error": code, "message": message}, **headers)


def broken_off(handler: _Handler) -> None:
    """The connection ends before there is an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def silent(_handler: _Handler) -> None:
    """No answer, and the connection stays."""
    time.sleep(SILENCE_SECONDS)


def stream(*events: str, then: str = "end") -> Answer:
    """Events as they stand on the wire, then a clean `end`, a `cut` or `silence`."""

    def write(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for text in events:
            content = text.encode()
            handler.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        handler.wfile.flush()
        if then == "end":
            handler.wfile.write(b"0\r\n\r\n")
        elif then == "cut":
            broken_off(handler)
        else:
            silent(handler)

    return write


def sse(event: str, data: Any, event_id: str | None = None) -> str:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {json.dumps(encode(data))}\n\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        asked = Asked(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(content) if content else None,
        )
        self.server.next_answer(asked)(self)

    # The names are http.server's.
    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def end_headers(self) -> None:
        self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, *_args: Any) -> None:
        """Nothing: the tests look at what was asked."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, next_answer: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.next_answer = next_answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what some tests are about."""


@dataclass
class Scripted:
    """A context: gives its answers one after the other, the last of them from then on."""

    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Scripted:
        self._server = _Server(self._next)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def headers(self, name: str) -> Iterable[str | None]:
        """What each request said in this header."""
        return [each.headers.get(name) for each in self.asked]

    def _next(self, asked: Asked) -> Answer:
        place = min(len(self.asked), len(self.answers) - 1)
        self.asked.append(asked)
        return self.answers[place]
