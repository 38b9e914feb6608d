"""Simulated days: 200 here, more by `python -m tests.simulator --seed S --days N`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from tests.simulator.play import Player, worlds

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 200
DAYS_AT_ONCE = 50
CONTROL_DAYS = 40
HARM = [
    f"{kind} {where}"
    for kind in ("kill", "lose", "freeze")
    for where in ("before a statement", "after a statement", "before COMMIT", "after COMMIT")
]


@pytest.fixture
def player() -> Iterator[Player]:
    with worlds() as made:
        yield made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, DAYS, DAYS_AT_ONCE))
def test_every_invariant_holds_whatever_befalls_a_day(player, first):
    for seed in range(first, first + DAYS_AT_ONCE):
        player.play(seed)

    assert not player.failed, player.summary(0.0)
    assert [harm for harm in HARM if not player.counts[harm]] == []
    assert min(player.counts[name] for name in ("fills", "takeovers", "requests", "fenced off")) > 0
    ends = ("completed", "halted", "killed")
    assert min(player.counts[name] for name in ends) > 0


@pytest.mark.timeout(600)
def test_without_the_fence_a_day_does_not_hold_and_with_it_the_same_day_does():
    """The control: the checks see the harm that the guarded commit keeps away."""
    with worlds(fenced=False) as unfenced:
        broken = next((seed for seed in range(CONTROL_DAYS) if not unfenced.play(seed)), None)
    assert broken is not None, f"{CONTROL_DAYS} days without a fence and nothing was seen"

    with worlds() as fenced:
        fenced.play(broken)

    assert "Broken" in unfenced.failed[broken]
    assert not fenced.failed, fenced.summary(0.0)


def rows_of_the_day() -> dict[str, list[Any]]:
    """Every row of the sessions, without who ran them and their running numbers."""
    left_out = {"owner", "lease_until"}
    found = {}
    for model in apps.get_app_config("bot_sessions").get_models():
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.name not in left_out and field.get_internal_type() != "BigAutoField"
        ]
        found[model._meta.label] = sorted(model._base_manager.values_list(*names), key=repr)
    return found


def test_a_seed_plays_the_same_day_again(player):
    player.play(7)
    first, harm = rows_of_the_day(), dict(player.counts)
    player.counts.clear()

    player.play(7)

    assert rows_of_the_day() == first
    assert dict(player.counts) == harm
    assert len(first["bot_sessions.SessionEvent"]) > 20
