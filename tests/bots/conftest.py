from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from bots.models import Bot
from strategies.models import StrategyLink
from tests.factories import BotFactory, StrategyLinkFactory


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


@pytest.fixture
def bot(alice) -> Bot:
    return BotFactory(owner=alice)


@pytest.fixture
def body(link) -> dict:
    """The smallest body that makes a bot."""
    return {"strategy_id": str(link.pk), "name": "spread", "starting_capital": "25000"}
