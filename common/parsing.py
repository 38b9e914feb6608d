"""Reading JSON bodies: strictly, and never more than Django's upload limit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

MAX_DEPTH = 100


class JsonBody(BaseParser):
    """UTF-8 JSON without NaN, infinities, repeated names, or text a database cannot keep."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request: Request = (parser_context or {})["request"]
        body = request._request.body  # cached there: the idempotency fingerprint reads it too
        limit_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit_bytes is not None and len(body) > limit_bytes:
            raise RequestDataTooBig(f"more than {limit_bytes} bytes")
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. ParseError with one sentence for what it refuses."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as exc:
        raise ParseError("The body is not UTF-8.") from exc
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno} column {exc.colno}"
        raise ParseError(f"The body is not JSON: {exc.msg} at {where}.") from exc
    except RecursionError as exc:
        raise ParseError("The body is nested too deeply.") from exc
    except ValueError as exc:  # our own hooks, and integers of thousands of digits
        raise ParseError(f"The body is not acceptable JSON: {exc}.") from exc
    _check_texts(value, depth=0)
    return value


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} occurs twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


def _check_texts(value: Any, *, depth: int) -> None:
    """NUL and lone surrogates cannot be stored; great depth breaks whoever walks the value."""
    if depth > MAX_DEPTH:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError("The body contains NUL or a surrogate, which cannot be stored.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name, depth=depth)
            _check_texts(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner, depth=depth + 1)
