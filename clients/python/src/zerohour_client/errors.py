"""What can go wrong, one class for each way to react.

Everything is a `ZerohourError`. An `ApiError` is an answer of the server; the others are about not
getting one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ZerohourError(Exception):
    """Everything this package raises on purpose."""


class ConnectionFailed(ZerohourError):
    """No answer came: the server cannot be reached, or broke off.

    Whether it did what was asked is unknown, unless the call is one that is repeated safely.
    """


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class UnexpectedAnswer(ZerohourError):
    """What came back is not in the shape this version of the package knows."""


class ApiError(ZerohourError):
    """A refusal: `code` is for programs, `message` for people, `fields` names refused fields."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        fields: Mapping[str, Sequence[str]] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.fields = {name: list(reasons) for name, reasons in (fields or {}).items()}
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.message} ({self.status} {self.code})"


class InvalidInput(ApiError):
    """400, 413, 415: the body, a parameter or a header is wrong."""


class Unauthorized(ApiError):
    """401: no token, one that ended, or a wrong password."""


class Forbidden(ApiError):
    """403: not allowed for this token or account."""


class NotFound(ApiError):
    """404: nothing there, or not yours."""


class Conflict(ApiError):
    """409: the state of things forbids it."""


class Unprocessable(ApiError):
    """422: understood, but it cannot be done."""


class RateLimited(ApiError):
    """429: too fast; `retry_after_seconds` says when the next request will pass."""


class ServerError(ApiError):
    """500 and above: the server's fault."""


class Unavailable(ServerError):
    """502, 503, 504: something the server needs is down."""


KIND_OF_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: Unprocessable,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def kind_of(status: int) -> type[ApiError]:
    return KIND_OF_STATUS.get(status, ServerError if status >= 500 else ApiError)
