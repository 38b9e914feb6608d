"""Errors as one sentence a person can act on, and the exit status that goes with each."""

from __future__ import annotations

from zerohour_client import errors

UNEXPECTED = 1
BAD_INPUT = 2
NOT_ALLOWED = 3
NOT_FOUND = 4
WRONG_STATE = 5
UNREACHABLE = 6
BAD_END = 7

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (errors.InvalidInput, BAD_INPUT),
    (errors.Unauthorized, NOT_ALLOWED),
    (errors.Forbidden, NOT_ALLOWED),
    (errors.NotFound, NOT_FOUND),
    (errors.Conflict, WRONG_STATE),
    (errors.Unprocessable, WRONG_STATE),
    (errors.RateLimited, UNREACHABLE),
    (errors.Unavailable, UNREACHABLE),
    (errors.ConnectionFailed, UNREACHABLE),
)


class Failure(Exception):
    """Something this program cannot do, said in one sentence."""

    def __init__(self, sentence: str, status: int = BAD_INPUT) -> None:
        super().__init__(sentence)
        self.status = status


def status_of(error: Exception) -> int:
    if isinstance(error, Failure):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), UNEXPECTED)


def sentence(error: Exception) -> str:
    """What went wrong and what to do about it."""
    if isinstance(error, errors.Unauthorized):
        return f"{error.message} To sign in: zerohour login"
    if isinstance(error, errors.RateLimited) and error.retry_after_seconds is not None:
        return f"{error.message} Try again in {error.retry_after_seconds:.0f} seconds."
    if isinstance(error, errors.ApiError):
        return f"{error.message}{_further(error)}"
    if isinstance(error, errors.ConnectionFailed):
        return f"{error} Is it running? Name another with --url or ZEROHOUR_URL."
    return str(error)


def _further(error: errors.ApiError) -> str:
    """The refused fields that the message does not name."""
    unnamed = [name for name in error.fields if name not in error.message]
    lines = [f"\n  {name}: {'; '.join(error.fields[name])}" for name in unnamed]
    return "".join(lines)
