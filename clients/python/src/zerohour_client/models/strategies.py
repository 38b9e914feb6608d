"""Saved strategies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Privacy = Literal["private", "public"]
StrategyKind = Literal["form", "program"]


@dataclass(frozen=True)
class Strategy:
    """Your link to an immutable strategy. `config` is the form, None for a program."""

    id: UUID
    name: str
    description: str
    privacy: Privacy
    source_hash: str
    kind: StrategyKind
    config: dict[str, Any] | None
    program: str
    created_at: datetime


@dataclass(frozen=True)
class Problem:
    """Why a form or program would not be saved, and where."""

    path: str
    message: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Preview:
    """What a form compiles to, or the problems that keep it from being saved."""

    source_hash: str | None
    program: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Template:
    """A form to start from."""

    id: str
    name: str
    description: str
    config: dict[str, Any]
