"""The service itself; no token is needed."""

from __future__ import annotations

from zerohour_client._calls import Call, one, text
from zerohour_client.models import Health, Ready


def get_health() -> Call[Health]:
    """Whether the server's process runs."""
    return Call("GET", "/health", one(Health))


def get_ready() -> Call[Ready]:
    """Whether it can work. Raises Unavailable (`not_ready`) naming what is down."""
    return Call("GET", "/ready", one(Ready))


def get_openapi() -> Call[str]:
    """The OpenAPI document, as YAML."""
    return Call("GET", "/openapi.yaml", text)
