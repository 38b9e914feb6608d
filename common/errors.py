"""Refusals: what a caller may be told, as classes with the API's machine code.

A refusal is declared beside the function that raises it, as a subclass of one of these kinds with
its own `code`. `common.api` turns them into answers. The message is one sentence a person can act
on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Refusal(Exception):
    status = 400
    code = "invalid_input"

    def __init__(self, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {name: list(reasons) for name, reasons in (fields or {}).items()}

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that go with the refusal."""
        return {}


class InvalidInput(Refusal):
    status = 400
    code = "invalid_input"


class Unauthorized(Refusal):
    status = 401
    code = "unauthorized"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Refusal):
    status = 403
    code = "forbidden"


class NotFound(Refusal):
    status = 404
    code = "not_found"


class Conflict(Refusal):
    status = 409
    code = "conflict"


class Unprocessable(Refusal):
    status = 422
    code = "unprocessable"


class TooManyRequests(Refusal):
    """A limit is spent; `retry_after_seconds` (rounded up by the caller) says until when."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1, retry_after_seconds)

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class Unavailable(Refusal):
    status = 503
    code = "unavailable"
