"""The API's routes as Django resolves them: what the matrices are built from and held against."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WRITES = ("POST", "PATCH", "PUT", "DELETE")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    path: str  # as the document spells it: /bots/{bot_id}
    view: Any  # an APIView class, or the function of a stream

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def is_stream(self) -> bool:
        return inspect.iscoroutinefunction(self.view)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods the route means to have: not HEAD and OPTIONS, which come by themselves."""
        if self.is_stream:
            return ("GET",)
        return tuple(name for name in ("GET", *WRITES) if hasattr(self.view, name.lower()))

    def url(self, **ids: object) -> str:
        return "/api" + self.path.format(**ids)


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        else:
            yield path, entry


def _view_of(pattern: URLPattern) -> Any:
    view = getattr(pattern.callback, "cls", pattern.callback)
    is_known = inspect.iscoroutinefunction(view) or issubclass(view, APIView)
    assert is_known, f"{pattern} is neither an APIView nor a stream"
    return view


ROUTES = tuple(
    Route("/" + PARAMETER.sub(r"{\1}", path.removeprefix("api/")), _view_of(pattern))
    for path, pattern in _patterns(get_resolver("config.urls"))
    if path.startswith("api/") and not path.endswith("/")
)
OPERATIONS = tuple((method, route) for route in ROUTES for method in route.methods)


def operation_id(value: object) -> str | None:
    """For parametrize: a route's path, a method's name."""
    return value.path if isinstance(value, Route) else None
