from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from rest_framework.test import APIClient

from simengine.strategy import Decision
from strategies.examples import FORM
from strategies.models import StrategyLink
from strategies.runtime.sandbox import Sandbox
from tests.factories import StrategyLinkFactory


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(processes=3) as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox) -> Callable[..., Decision]:
    """Run one hook of a program's text over a view, in the sandbox."""

    def once(text: str, hook: str, view: dict[str, Any], argument: Any = None) -> Decision:
        return sandbox.strategy(text).call(hook, view, argument)

    return once


@pytest.fixture
def form() -> dict[str, Any]:
    """The contract's own example, free to be changed."""
    return deepcopy(FORM)


@pytest.fixture
def owner(alice, client_for) -> APIClient:
    return client_for(alice)


@pytest.fixture
def stranger(bob, client_for) -> APIClient:
    return client_for(bob)


@pytest.fixture
def anonymous(db) -> APIClient:
    return APIClient()


@pytest.fixture
def link(alice) -> StrategyLink:
    return StrategyLinkFactory(owner=alice)
