"""What there is to ask, without asking it: one call, a list in pages, a stream.

Operations build these; a transport runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote
from uuid import uuid4

import httpx

from zerohour_client._shapes import decode, encode, scalar
from zerohour_client.errors import UnexpectedAnswer

T = TypeVar("T")


class Repeat(Enum):
    """Whether a call may be sent again when nobody knows if the first one arrived."""

    SAFE = "reads, and writes with an idempotency key or the same effect twice"
    UNSAFE = "other writes"


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how to read its answer. Its repr shows no body and no header."""

    method: str
    path: str
    decode: Callable[[httpx.Response], T] = field(repr=False)
    repeat: Repeat = Repeat.SAFE
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Paged(Generic[T]):
    """A list that comes in pages."""

    first: Call[list[T]]

    def after(self, response: httpx.Response) -> Call[list[T]] | None:
        """The next page, or None after the last.

        Only the cursor of the link is used: its host is whatever a proxy made of it, and is not
        where our token belongs.
        """
        url = response.links.get("next", {}).get("url")
        cursor = httpx.URL(url).params.get("after") if url else None
        if cursor is None:
            return None
        return replace(self.first, query={**self.first.query, "after": cursor})


@dataclass(frozen=True)
class StreamCall(Generic[T]):
    """A stream of events. `decode` gives (event name, data); `is_last` tells the stream's end.

    With `is_last` None the stream has no end of its own.
    """

    path: str
    decode: Callable[[str, Any], T] = field(repr=False)
    is_last: Callable[[T], bool] | None = field(default=None, repr=False)
    after: str | None = None


def path(template: str, *ids: object) -> str:
    """The path with its ids in place; whatever they are, they stay one segment each."""
    return template.format(*(quote(str(each), safe="") for each in ids))


def query(**parameters: object) -> dict[str, str]:
    """Query parameters, without those that are None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return {name: _text(value) for name, value in given.items()}


def body(**given: object) -> dict[str, Any]:
    """A JSON body, without what is None: the API reads `null` as a value."""
    return {name: encode(value) for name, value in given.items() if value is not None}


def once(key: str | None) -> dict[str, str]:
    """The header that makes a create happen once, however often it is sent."""
    return {"Idempotency-Key": key or str(uuid4())}


def one(shape: type[T]) -> Callable[[httpx.Response], T]:
    return lambda response: decode(shape, json_of(response))


def many(shape: type[T]) -> Callable[[httpx.Response], list[T]]:
    return lambda response: [decode(shape, row) for row in _rows(response)]


def nothing(_response: httpx.Response) -> None:
    """The answer to a call that has none."""


def text(response: httpx.Response) -> str:
    return response.text


def mapping(response: httpx.Response) -> dict[str, Any]:
    return cast(dict[str, Any], json_of(response))


def json_of(response: httpx.Response) -> Any:
    """Raises UnexpectedAnswer where there is no JSON: something else answers at that address."""
    try:
        return response.json()
    except ValueError as exc:
        where = response.request.url.copy_with(query=None)
        raise UnexpectedAnswer(
            f"{where} answered {response.status_code} without JSON: is this a Zerohour server?"
        ) from exc


def _rows(response: httpx.Response) -> list[Any]:
    rows = json_of(response)
    if not isinstance(rows, list):
        raise UnexpectedAnswer(f"{response.request.url.path} answered no list.")
    return rows


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(scalar(value))
