"""`Idempotency-Key`: one effect and one answer, however often a request is repeated.

The key's row and the effect are one transaction: a repeat that arrives while the first is running
waits at the unique constraint and then reads its answer; a process that dies leaves neither.
Answers below 500 are kept for 24 hours, refusals included; after a 5xx everything is rolled back
and the key is free again. So a decorated method must not count on anything being committed when
it raises.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import errors, services
from common.models import IdempotencyKey
from common.rendering import Json

Method = TypeVar("Method", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_SHAPE = re.compile(r"[!-~]{1,255}")


class BadKey(errors.InvalidInput):
    """The header is empty, longer than 255 characters or not plain ASCII."""


class KeyReused(errors.Unprocessable):
    code = "idempotency_key_reused"


def idempotent(method: Method) -> Method:
    """Decorates the `post` of an APIView that creates something.

    Without the header, or for a caller who is not signed in, the method runs as it is.
    """

    @wraps(method)
    def once(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None or not request.user.is_authenticated:
            return method(view, request, *args, **kwargs)
        if not KEY_SHAPE.fullmatch(key):
            raise BadKey(f"{HEADER} must be 1 to 255 printable ASCII characters without spaces.")
        with transaction.atomic():
            record, is_new = services.claim_idempotency_key(
                user_id=request.user.pk,
                key=key,
                fingerprint=fingerprint(request),
                now=timezone.now(),
            )
            if not is_new:
                return _replay(record, request)
            response = _first_answer(view, method, request, *args, **kwargs)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            else:
                _keep(record, response)
        return response

    once.is_idempotent = True  # type: ignore[attr-defined]  # a mark for common.schema
    return cast(Method, once)


def fingerprint(request: Request) -> str:
    """SHA-256 of what makes requests the same: method, path without its last slash, body."""
    head = f"{request.method} {request.path.rstrip('/')}\n".encode()
    return hashlib.sha256(head + request._request.body).hexdigest()


def _first_answer(
    view: APIView, method: Callable[..., Any], request: Request, *args: Any, **kwargs: Any
) -> Response:
    """The method's response; what it wrote is undone if it refused."""
    try:
        with transaction.atomic():
            return cast(Response, method(view, request, *args, **kwargs))
    except Exception as exc:  # handle_exception answers every exception, and logs what is a bug
        return view.handle_exception(exc)


def _keep(record: IdempotencyKey, response: Response) -> None:
    record.status = response.status_code
    record.body = "" if response.data is None else Json().render(response.data).decode()
    record.save(update_fields=["status", "body"])


def _replay(record: IdempotencyKey, request: Request) -> HttpResponse:
    if record.fingerprint != fingerprint(request):
        raise KeyReused(f"This {HEADER} was used for another request; choose a new one.")
    return HttpResponse(
        record.body,
        status=record.status,
        content_type="application/json",
        headers={REPLAYED: "true"},
    )
