"""Routes that take a trailing slash or none, and never redirect (contract.md section 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path


def route(pattern: str, view: Callable[..., Any], name: str | None = None) -> list[URLPattern]:
    """Both spellings of one route; `name` belongs to the one without the slash."""
    return [path(pattern, view, name=name), path(f"{pattern}/", view)]
