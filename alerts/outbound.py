"""Calling a stranger's web address without being turned against our own network.

The host is resolved here, each address checked, and the connection made to the very address that
was checked, so a name that resolves differently a moment later gains nothing. Redirects are not
followed; the answer's body is not read beyond its beginning.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

TIMEOUT_SECONDS = 5.0


class NotReached(Exception):
    """The address could not be called; says why in a few words."""


class _CheckedNetwork(httpcore.NetworkBackend):
    def __init__(self, *, allow_private: bool) -> None:
        self._sync = httpcore.SyncBackend()
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = checked_address(host, port, allow_private=self._allow_private)
        return self._sync.connect_tcp(address, port, timeout, local_address, socket_options)


def checked_address(host: str, port: int, *, allow_private: bool) -> str:
    """An address of the host that may be called. NotReached if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotReached(f"{host} is not a known host") from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    for address in addresses:
        if allow_private or ipaddress.ip_address(address.partition("%")[0]).is_global:
            return address
    raise NotReached(f"{host} is on a private network, which is not called")


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool
) -> tuple[int, str]:
    """(status, reason phrase) of the answer. Raises NotReached."""
    limits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS)}
    fields = list(headers.items())
    network = _CheckedNetwork(allow_private=allow_private)
    try:
        with (
            httpcore.ConnectionPool(network_backend=network) as pool,
            pool.stream("POST", url, headers=fields, content=body, extensions=limits) as answer,
        ):
            reason = answer.extensions.get("reason_phrase", b"").decode("ascii", "replace")
            return answer.status, reason
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise NotReached(_words(error)) from error


def _words(error: Exception) -> str:
    kind = "no answer in time" if isinstance(error, httpcore.TimeoutException) else "no connection"
    return f"{kind}: {error}" if str(error) else kind
