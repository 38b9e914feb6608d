"""The API's edge: every refusal becomes `{"error", "message", "fields"?}` (contract.md section 1).

`exception_handler` is DRF's; the functions named after a status are Django's own handlers, for what
never reaches a view. Below /api nothing is ever HTML.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from common.errors import Refusal

logger = logging.getLogger(__name__)

Answer = Callable[[Any, dict[str, Any]], Response]

API_PREFIX = "/api/"
BODY = "body"  # the field name of a complaint about the body as a whole
LONGEST_SHOWN_PATH = 200
SIGN_IN = "Send your token in the header Authorization; POST /auth/sessions gives you one."
FORBIDDEN = "This is not allowed for your account."
MALFORMED = "The request is malformed."
INTERNAL = "Something broke on our side; it has been logged. Try again."

# The API's code of each exception of DRF that is no validation error.
CODES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "unauthorized",
    exceptions.AuthenticationFailed: "unauthorized",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limit_exceeded",
    exceptions.ParseError: "invalid_input",
}


def error_body(
    code: str, message: str, fields: Mapping[str, list[str]] | None = None
) -> dict[str, Any]:
    """The one shape of a refusal."""
    body: dict[str, Any] = {"error": code, "message": message}
    if fields:
        body["fields"] = dict(fields)
    return body


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER. Answers everything, so no exception ever renders as HTML."""
    for kind, answer in ANSWERS:
        if isinstance(exc, kind):
            return answer(exc, context)
    return _our_fault(exc, context)


def flat_fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested errors by dotted path: {"legs": [{"qty": [..]}]} -> {"legs.0.qty": [..]}."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            is_whole = name == api_settings.NON_FIELD_ERRORS_KEY
            for key, reasons in flat_fields(inner, path if is_whole else _join(path, name)).items():
                found.setdefault(key, []).extend(reasons)
        return found
    if isinstance(detail, list) and any(isinstance(inner, (Mapping, list)) for inner in detail):
        return flat_fields({index: inner for index, inner in enumerate(detail) if inner}, path)
    reasons = detail if isinstance(detail, list) else [detail]
    return {path or BODY: [str(reason) for reason in reasons]}


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def summary(fields: Mapping[str, list[str]], *, first: str = "") -> str:
    """One sentence: the complaint about the field `first` (else about the one that stands first),
    and how many fields have others.
    """
    name = first or next(iter(fields))
    reasons = fields[name]
    others = len(fields) - 1
    tail = f" ({others} more field{'s' if others > 1 else ''} below)" if others else ""
    return f"{name}: {reasons[0].rstrip('.')}{tail}."


def _refusal(exc: Refusal, context: dict[str, Any]) -> Response:
    return _answer(exc.status, error_body(exc.code, exc.message, exc.fields), exc.headers)


def _validation_error(exc: exceptions.ValidationError, context: dict[str, Any]) -> Response:
    fields = flat_fields(exc.detail)
    return _answer(400, error_body("invalid_input", summary(fields), fields))


def _api_exception(exc: exceptions.APIException, context: dict[str, Any]) -> Response:
    code = next((CODES[kind] for kind in type(exc).__mro__ if kind in CODES), exc.default_code)
    message, fields, headers = str(exc.detail), {}, {}
    if isinstance(exc, exceptions.ParseError):
        fields = {BODY: [message]}
    elif isinstance(exc, exceptions.NotAuthenticated):
        message = SIGN_IN
    elif isinstance(exc, exceptions.Throttled):
        wait_seconds = max(1, math.ceil(getattr(exc, "wait", None) or 1))
        headers["Retry-After"] = str(wait_seconds)
        message = f"Too many requests; try again in {wait_seconds} s."
    elif isinstance(exc, exceptions.MethodNotAllowed):
        allowed = ", ".join(context["view"].allowed_methods)
        message = f"{context['request'].method} is not allowed here; allowed: {allowed}."
        headers["Allow"] = allowed
    elif isinstance(exc, exceptions.UnsupportedMediaType):
        message = "Send the body as JSON, with the header Content-Type: application/json."
    return _answer(exc.status_code, error_body(code, message, fields), headers)


def _missing(exc: Http404, context: dict[str, Any]) -> Response:
    """`get_object_or_404` names the model; nothing else of its text is for a client."""
    named = re.match(r"No (\w+) matches", str(exc))
    if not named:
        return _answer(404, error_body("not_found", _no_such_route(context["request"].path)))
    noun = re.sub(r"(?<!^)(?=[A-Z])", " ", named.group(1)).lower()
    return _answer(404, error_body("not_found", f"You have no {noun} with this id."))


def _no_such_route(path: str) -> str:
    shown = path if len(path) <= LONGEST_SHOWN_PATH else f"{path[:LONGEST_SHOWN_PATH]}…"
    return f"There is nothing at {shown}; /api/docs lists what there is. Ids are UUIDs."


def _fixed(status: int, code: str, message: str) -> Answer:
    return lambda exc, context: _answer(status, error_body(code, message))


def _our_fault(exc: Exception, context: dict[str, Any]) -> Response:
    """A silent database is worth trying again; anything else is a bug. Both are logged."""
    request: Request | None = context.get("request")
    where = f"{request.method} {request.path}" if request is not None else "a request"
    logger.error("%s failed: %s", where, type(exc).__name__, exc_info=exc)
    if isinstance(exc, (OperationalError, InterfaceError)):
        message = "The database did not answer in time; try again."
        return _answer(503, error_body("unavailable", message), {"Retry-After": "1"})
    return _answer(500, error_body("internal_error", INTERNAL))


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(body, status=status, headers=headers)


# The first kind that fits answers.
ANSWERS: tuple[tuple[type[Exception], Answer], ...] = (
    (Refusal, _refusal),
    (exceptions.ValidationError, _validation_error),
    (exceptions.APIException, _api_exception),
    (Http404, _missing),
    (PermissionDenied, _fixed(403, "forbidden", FORBIDDEN)),
    (RequestDataTooBig, _fixed(413, "body_too_large", "The body is larger than we accept.")),
    (SuspiciousOperation, _fixed(400, "invalid_input", MALFORMED)),
)


def refused(refusal: Refusal) -> JsonResponse:
    """The answer of a view that is not REST framework's."""
    body = error_body(refusal.code, refusal.message, refusal.fields)
    return JsonResponse(body, status=refusal.status, headers=refusal.headers)


# Django's handlers, wired in config/urls.py: what fails before or outside a view.


def _json_below_api(
    request: HttpRequest, status: int, code: str, message: str, page: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    if request.path.startswith(API_PREFIX) or request.path == API_PREFIX.rstrip("/"):
        return JsonResponse(error_body(code, message), status=status)
    return page()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    page = partial(defaults.bad_request, request, exception)
    return _json_below_api(request, 400, "invalid_input", MALFORMED, page)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    page = partial(defaults.permission_denied, request, exception)
    return _json_below_api(request, 403, "forbidden", FORBIDDEN, page)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    page = partial(defaults.page_not_found, request, exception)
    return _json_below_api(request, 404, "not_found", _no_such_route(request.path), page)


def server_error(request: HttpRequest) -> HttpResponseBase:
    page = partial(defaults.server_error, request)
    return _json_below_api(request, 500, "internal_error", INTERNAL, page)
