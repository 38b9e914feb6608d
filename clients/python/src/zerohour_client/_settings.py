"""What both clients are made with."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from random import Random
from typing import Any

import httpx

from zerohour_client._calls import Call
from zerohour_client.retry import RetryPolicy

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 5.0
# The server says something at least every 15 seconds; three times that is a dead connection.
DEFAULT_SILENCE_SECONDS = 45.0

# Servers close an idle connection after 5 seconds: a write must not go out on one that just died.
LIMITS = httpx.Limits(keepalive_expiry=3.0)


@dataclass(frozen=True)
class Settings:
    """Where the server is and how patient to be."""

    url: str
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    silence_seconds: float = DEFAULT_SILENCE_SECONDS
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    # A stream is worth waiting for: a server may take a minute to start again.
    stream_retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=12))
    rng: Random = field(default_factory=Random)

    @property
    def base_url(self) -> str:
        """The address of the API; a site's address stands for its `/api`."""
        site = self.url.rstrip("/")
        return site if site.endswith("/api") else f"{site}/api"

    @property
    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS)

    @property
    def stream_timeout(self) -> httpx.Timeout:
        return httpx.Timeout(
            self.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS, read=self.silence_seconds
        )

    def request(self, call: Call[Any], token: str | None) -> dict[str, Any]:
        """The arguments of httpx's `request`."""
        arguments: dict[str, Any] = {
            "method": call.method,
            "url": call.path,
            "params": call.query or None,
            "headers": {**call.headers, **authorization(token)},
        }
        return arguments if call.body is None else {**arguments, "json": call.body}


@cache
def tls() -> ssl.SSLContext:
    """One for all clients of a process: it costs more to make than a request."""
    return httpx.create_ssl_context()


def authorization(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": token}


def user_agent() -> str:
    try:
        return f"zerohour-client/{version('zerohour-client')}"
    except PackageNotFoundError:  # run from a checkout
        return "zerohour-client"


def check_url(url: str) -> None:
    """Raises ValueError for what is no address of a server."""
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"{url!r} is no address such as {DEFAULT_URL}")
