"""Refusals: what a caller may be told, as classes with the API's machine code.

A refusal is declared beside the function that raises it, as a subclass of one of these kinds with its
own `code`. `common.api` maps kinds to HTTP once. The message is one sentence a person can act on.
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


class InvalidInput(Refusal):
    status = 400
    code = "invalid_input"


class Unauthorized(Refusal):
    status = 401
    code = "unauthorized"


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


class Unavailable(Refusal):
    status = 503
    code = "unavailable"
