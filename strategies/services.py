"""Saving, sharing and forgetting strategies (contract.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.models import User
from common import errors
from strategies.compiler import compile_form
from strategies.form import InvalidForm, normalise
from strategies.models import Strategy, StrategyLink
from strategies.runtime.program import InvalidProgram, source_hash
from strategies.runtime.sandbox import SandboxUnavailable
from strategies.runtime.shared import shared_sandbox


class InvalidConfig(errors.InvalidInput):
    """`fields` has the path in the form: {"legs[0].strike.value": ["must be …"]}."""

    code = "invalid_config"


class ProgramRefused(errors.InvalidInput):
    """`fields` has the place in the program: {"program": ["line 3, column 5: …"]}."""

    code = "invalid_program"


class SandboxDown(errors.Unavailable):
    code = "sandbox_unavailable"


@dataclass(frozen=True, slots=True)
class Source:
    """A checked program and, if a form made it, the canonical form."""

    program: str
    config: dict[str, Any] | None

    @property
    def kind(self) -> str:
        return StrategyLink.Kind.PROGRAM if self.config is None else StrategyLink.Kind.FORM


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `path` is in the form, or "program" with its line and column."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would make, or the problems that keep it from being saved."""

    source_hash: str | None = None
    program: str | None = None
    problems: list[Problem] = field(default_factory=list)


@transaction.atomic
def save_strategy(
    *,
    owner: User,
    name: str,
    description: str = "",
    privacy: str = StrategyLink.Privacy.PRIVATE,
    config: Mapping[str, Any] | None = None,
    program: str | None = None,
) -> StrategyLink:
    """A new link to the strategy of a form or a program; equal programs are one strategy.

    Raises InvalidConfig, ProgramRefused or SandboxDown.
    """
    source = read_source(config=config, program=program)
    return StrategyLink.objects.create(
        owner=owner,
        strategy=_strategy_of(source.program),
        name=name,
        description=description,
        privacy=privacy,
        kind=source.kind,
        config=source.config,
    )


def read_source(*, config: Mapping[str, Any] | None = None, program: str | None = None) -> Source:
    """Exactly one of a form and a program, checked.

    Raises InvalidInput, InvalidConfig, ProgramRefused or SandboxDown. A program is loaded in the
    sandbox once; what a form compiles to is not: it is ours.
    """
    if (config is None) == (program is None):
        raise errors.InvalidInput(
            "Give either config (the form) or program.",
            fields={"config": ["give either config or program"]},
        )
    if program is None:
        canonical = _canonical(config)
        return Source(compile_form(canonical), canonical)
    _check_program(program)
    return Source(program, None)


def clone_strategy(*, link: StrategyLink, owner: User) -> StrategyLink:
    """The owner's own, private link to the same strategy."""
    return StrategyLink.objects.create(
        owner=owner,
        strategy_id=link.strategy_id,
        name=link.name,
        description=link.description,
        kind=link.kind,
        config=link.config,
    )


def update_link(*, link: StrategyLink, changes: Mapping[str, Any]) -> StrategyLink:
    """Name, description and privacy; what the link points at never changes."""
    for name, value in changes.items():
        setattr(link, name, value)
    link.save(update_fields=list(changes))
    return link


@transaction.atomic
def delete_link(*, link: StrategyLink) -> None:
    """Bots that pinned the strategy keep it."""
    # Locked first: a bot that is being created with the link is waited for, then lets go of it.
    list(StrategyLink.objects.select_for_update().filter(pk=link.pk))
    link.delete()


def preview(*, config: Mapping[str, Any] | None = None, program: str | None = None) -> Preview:
    """What `save_strategy` would make of it, problems included. Raises SandboxDown."""
    try:
        source = read_source(config=config, program=program)
    except InvalidConfig as refusal:
        reasons = refusal.fields.items()
        return Preview(problems=[Problem(path, why) for path, found in reasons for why in found])
    except ProgramRefused as refusal:
        return Preview(problems=[_problem_of(refusal)])
    return Preview(source_hash(source.program), source.program)


def _strategy_of(program: str) -> Strategy:
    """The row of a program. Two that save it at once get the same: the key settles the race."""
    strategy, _ = Strategy.objects.get_or_create(
        source_hash=source_hash(program), defaults={"program": program}
    )
    return strategy


def _canonical(config: Any) -> dict[str, Any]:
    try:
        return normalise(config)
    except InvalidForm as invalid:
        path, reasons = next(iter(invalid.problems.items()))
        others = len(invalid.problems) - 1
        tail = f" ({others} more in fields)" if others else ""
        raise InvalidConfig(f"{path}: {reasons[0]}{tail}.", fields=invalid.problems) from None


def _check_program(program: str) -> None:
    try:
        shared_sandbox().strategy(program)
    except InvalidProgram as invalid:
        raise ProgramRefused(f"The program: {invalid}.", fields={"program": [str(invalid)]}) from (
            invalid
        )
    except SandboxUnavailable as down:
        raise SandboxDown("Programs cannot be checked at the moment; try again.") from down


def _problem_of(refusal: ProgramRefused) -> Problem:
    invalid = refusal.__cause__
    assert isinstance(invalid, InvalidProgram)
    return Problem("program", invalid.message, invalid.line, invalid.column)
