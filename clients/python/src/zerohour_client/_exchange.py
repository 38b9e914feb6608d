"""One call from the first attempt to the answer, without I/O.

`converse` is a generator: it yields what is to be done (send a request, wait) and is sent what came
of it. Both transports only carry that out.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any, TypeVar

import httpx

from zerohour_client._calls import Call, Repeat
from zerohour_client.errors import ApiError, ConnectionFailed, TimedOut, UnexpectedAnswer, kind_of
from zerohour_client.retry import OUTAGE_STATUSES, REFUSED_STATUS, RetryPolicy

T = TypeVar("T")

# The request never left: whatever it was, it may be sent again.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Send:
    """Send this call's request; answer with the Response or the TransportError."""

    call: Call[Any]


@dataclass(frozen=True)
class Wait:
    """Sleep; answer with None."""

    seconds: float


Step = Send | Wait
Outcome = httpx.Response | httpx.TransportError | None


def converse(
    call: Call[T], policy: RetryPolicy, rng: Random
) -> Generator[Step, Outcome, httpx.Response]:
    """The successful response. Raises ApiError for a refusal, ConnectionFailed without an answer.

    Sent again are: what never left, what was refused with 429, and, if the call is safe to repeat,
    what met a broken connection, 502, 503 or 504.
    """
    for failures in range(1, policy.attempts + 1):
        outcome = yield Send(call)
        if isinstance(outcome, httpx.Response) and outcome.is_success:
            return outcome
        failure = failure_of(outcome)
        pause_seconds = _pause_seconds(call, outcome, policy, rng, failures)
        if pause_seconds is None or failures == policy.attempts:
            raise failure
        yield Wait(pause_seconds)
    raise AssertionError("a policy has at least one attempt")


def failure_of(outcome: Outcome) -> ApiError | ConnectionFailed | UnexpectedAnswer:
    """The error that a response outside 2xx, or no response, is to the caller."""
    if isinstance(outcome, httpx.Response):
        return _refusal(outcome)
    if not isinstance(outcome, httpx.TransportError):
        raise TypeError(f"{outcome!r} is no failure")
    where = _origin_of(outcome)
    if isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout):
        return ConnectionFailed(f"{where} cannot be reached ({_reason(outcome)}).")
    if isinstance(outcome, httpx.TimeoutException):
        return TimedOut(f"{where} did not answer in time.")
    return ConnectionFailed(f"The connection to {where} broke off ({_reason(outcome)}).")


def _pause_seconds(
    call: Call[Any], outcome: Outcome, policy: RetryPolicy, rng: Random, failures: int
) -> float | None:
    """How long to wait before the next attempt; None if there must be none."""
    backoff_seconds = policy.backoff_seconds(failures, rng)
    if not isinstance(outcome, httpx.Response):
        may_repeat = isinstance(outcome, NOT_SENT) or call.repeat is Repeat.SAFE
        return backoff_seconds if may_repeat else None
    is_outage = outcome.status_code in OUTAGE_STATUSES
    if outcome.status_code != REFUSED_STATUS and not (is_outage and call.repeat is Repeat.SAFE):
        return None
    asked_seconds = retry_after_seconds(outcome)
    if asked_seconds is None:
        return backoff_seconds
    # A little later than asked for: many clients were told the same second.
    pause_seconds = asked_seconds + policy.base_seconds * rng.random()
    return pause_seconds if asked_seconds <= policy.max_retry_after_seconds else None


def retry_after_seconds(response: httpx.Response) -> float | None:
    """The Retry-After header: seconds, or the time until a date; None for anything else."""
    given = response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _refusal(response: httpx.Response) -> ApiError | UnexpectedAnswer:
    status = response.status_code
    found = _error_body(response)
    if found is None and status < 500 and status != REFUSED_STATUS:
        where = response.request.url.copy_with(query=None)
        return UnexpectedAnswer(
            f"{where} answered {status} in words of its own: is this a Zerohour server?"
        )
    told = found or {}
    return kind_of(status)(
        str(told.get("message") or f"The server answered {status} {response.reason_phrase}."),
        status=status,
        code=str(told.get("error") or "no_code"),
        fields=told.get("fields"),
        retry_after_seconds=retry_after_seconds(response),
    )


def _error_body(response: httpx.Response) -> Mapping[str, Any] | None:
    """The API's error object; None where something before the server answered."""
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("error"), str) else None


def _origin_of(error: httpx.TransportError) -> str:
    url = error.request.url
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
