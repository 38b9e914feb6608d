"""The service itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    status: str


@dataclass(frozen=True)
class Ready:
    """`checks` names what was found working."""

    status: str
    checks: tuple[str, ...]
