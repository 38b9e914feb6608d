"""Pages of long lists: plain arrays, and a `Link: <…>; rel="next"` header with an opaque cursor.

A page starts after the last row of the one before (a keyset, not an offset), so rows that arrive in
between neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from common.errors import InvalidInput
from common.prepared import Asked

Row = TypeVar("Row")

NOT_A_CURSOR = "must be a cursor taken from a Link header of this list"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: list[Row]
    headers: dict[str, str] = field(default_factory=dict)


def page(
    rows: Asked[Any] | QuerySet[Any] | Sequence[Row],
    request: Request,
    *,
    key: Sequence[str],
    limit_default: int = 100,
    limit_max: int = 1000,
) -> Page[Any]:
    """The page that `?limit=` and `?after=` ask for. InvalidInput names a bad one.

    `key` lists the fields that order the rows, all the same way: ("seq",), ("-created_at", "-id").
    Together they are unique. A QuerySet is ordered here; a prepared query and a sequence must
    already be in that order, the sequence's rows objects or dicts with those fields.
    """
    names = [name.removeprefix("-") for name in key]
    is_descending = key[0].startswith("-")
    limit = _limit(request, limit_default=limit_default, limit_max=limit_max)
    after = _after(request, width=len(names))
    kept = _kept(rows, names, is_descending, after, limit + 1)
    if len(kept) <= limit:
        return Page(rows=kept)
    cursor = _encode([_value(kept[limit - 1], name) for name in names])
    url = replace_query_param(request.build_absolute_uri(), "after", cursor)
    return Page(rows=kept[:limit], headers={"Link": f'<{url}>; rel="next"'})


def _kept(
    rows: Asked[Any] | QuerySet[Any] | Sequence[Any],
    names: list[str],
    is_descending: bool,
    after: list[str] | None,
    at_most: int,
) -> list[Any]:
    if isinstance(rows, Asked):
        if after is None:
            return rows.rows(at_most=at_most)
        rows = rows.queryset()
    source: Any = _from_database if isinstance(rows, QuerySet) else _from_sequence
    return list(source(rows, names, is_descending, after)[:at_most])


def _limit(request: Request, *, limit_default: int, limit_max: int) -> int:
    text = request.query_params.get("limit")
    if text is None:
        return limit_default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= limit_max):
        _refuse("limit", f"must be a whole number from 1 to {limit_max}")
    return int(text)


def _after(request: Request, *, width: int) -> list[str] | None:
    cursor = request.query_params.get("after")
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    is_ours = isinstance(values, list) and len(values) == width
    if not is_ours or not all(isinstance(value, str) and "\0" not in value for value in values):
        _refuse("after", NOT_A_CURSOR)
    return values


def _refuse(name: str, reason: str) -> NoReturn:
    raise InvalidInput(f"{name}: {reason}.", fields={name: [reason]})


def _encode(values: Sequence[Any]) -> str:
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


def _value(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _from_database(
    rows: QuerySet[Any], names: list[str], is_descending: bool, after: list[str] | None
) -> QuerySet[Any]:
    sign, side = ("-", "lt") if is_descending else ("", "gt")
    ordered = rows.order_by(*(sign + name for name in names))
    if after is None:
        return ordered
    values = [_field_value(rows.model, name, text) for name, text in zip(names, after, strict=True)]
    beyond, same = Q(), Q()
    for name, value in zip(names, values, strict=True):
        beyond |= same & Q(**{f"{name}__{side}": value})
        same &= Q(**{name: value})
    return ordered.filter(beyond)


def _field_value(model: type[Model], name: str, text: str) -> Any:
    try:
        # `key` names columns, which all have it; reverse relations do not.
        return model._meta.get_field(name).to_python(text)  # type: ignore[union-attr]
    except (ValidationError, ValueError, OverflowError):
        _refuse("after", NOT_A_CURSOR)


def _from_sequence(
    rows: Sequence[Any], names: list[str], is_descending: bool, after: list[str] | None
) -> Sequence[Any]:
    """Rows after the one the cursor names. A cursor of a row that is not there is refused."""
    if after is None:
        return rows
    cursor = _encode(after)
    for index, row in enumerate(rows):
        if _encode([_value(row, name) for name in names]) == cursor:
            return rows[index + 1 :]
    _refuse("after", NOT_A_CURSOR)
