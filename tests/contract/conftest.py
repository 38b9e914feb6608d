from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import TokenDetails, User
from accounts.services import create_token
from bots.models import Bot
from marketdata.models import MarketClock
from sessions.models import BotSession
from strategies.models import StrategyLink
from tests.contract.live import Live
from tests.contract.proofs import Proofs
from tests.factories import BotFactory, BotSessionFactory, StrategyLinkFactory
from tests.flows.stack import Stack
from tests.sessions import market

UNKNOWN = UUID("00000000-0000-4000-8000-000000000000")
OUR_APPS = ("accounts", "bot_sessions", "bots", "common", "knox", "strategies")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Proofs(), "proofs")


@dataclass(frozen=True)
class Estate:
    """Everything one user has: a link, two bots, and a running session of each bot."""

    user: User
    client: APIClient
    link: StrategyLink
    bot: Bot
    other_bot: Bot
    session: BotSession
    other_session: BotSession
    token: TokenDetails  # of another program than `client`

    def ids(self) -> dict[str, object]:
        """The ids of a path that is wholly this user's."""
        return {
            "strategy_id": self.link.pk,
            "bot_id": self.bot.pk,
            "session_id": self.session.pk,
            "token_id": self.token.pk,
        }


@pytest.fixture
def estate_of(client_for):
    def make(user: User) -> Estate:
        link = StrategyLinkFactory(owner=user)
        bots = [BotFactory(owner=user, strategy_link=link) for _ in range(2)]
        sessions = [BotSessionFactory(bot=bot) for bot in bots]
        create_token(user=user, name="monitor")
        token = TokenDetails.objects.get(token__user=user)
        client = client_for(user)
        client.get("/api/user")  # the first use of a token is written down
        return Estate(user, client, link, *bots, *sessions, token)

    return make


@pytest.fixture
def alices(alice, estate_of) -> Estate:
    return estate_of(alice)


@pytest.fixture
def bobs(bob, estate_of) -> Estate:
    return estate_of(bob)


@pytest.fixture
def open_market(db: None) -> None:
    """Regular hours, so that no answer hides behind the market's being closed."""
    market.announce()
    market.publish([market.tick(1)])
    # However long a test takes, the feed has not fallen silent.
    MarketClock.objects.update(heartbeat_at=timezone.now() + timedelta(hours=1))


@pytest.fixture
def anonymous(db: None) -> APIClient:
    return APIClient(REMOTE_ADDR=f"test-{uuid4()}")


@pytest.fixture(scope="package")
def live() -> Iterator[Live]:
    """The real processes, at real speed: the market stays open. Limits are too wide to be met."""
    env = {
        "USER_RATE_BURST": "1000000",
        "AUTH_RATE_BURST": "1000000",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    }
    with Stack(speed=1, market_options="--lead-seconds 3", env=env) as stack:
        yield Live(stack)
        _, *failure = stack.log("web").split("Traceback", 1)
        assert not failure, failure[0][:4000]


def everything_stored() -> dict[str, list[Any]]:
    """Every row of ours, to show that a request changed nothing."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for label in OUR_APPS
        for model in apps.get_app_config(label).get_models()
    }
