"""A webhook of our own: a real server on this host that answers as told and keeps what it got."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from accounts.models import User
from alerts import services
from alerts.models import Channel, Kind
from tests.sessions import market


@dataclass
class Hook:
    """`answers` are given in turn, the last one again and again."""

    port: int = 0
    answers: list[int] = field(default_factory=lambda: [204])
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def hook(settings: Any) -> Iterator[Hook]:
    settings.ALERTS_TO_PRIVATE_ADDRESSES = True
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append((dict(self.headers), body))
            status = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hook
    server.shutdown()
    server.server_close()


@pytest.fixture
def channel(alice: User, hook: Hook) -> Channel:
    """Alice's webhook, told of everything from the open on."""
    return services.add_channel(
        owner=alice,
        channel_type="webhook",
        url=hook.url,
        kinds=list(Kind.values),
        market_at=market.OPEN_AT,
    )
