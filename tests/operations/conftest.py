from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from bots.models import Bot
from sessions.models import BotSession
from sessions.services import start_session
from tests.factories import UserFactory
from tests.sessions import market
from tests.sessions.conftest import (  # noqa: F401  fixtures of the sessions' tests
    drive,
    make_bot,
    open_market,
    put_spread,
    runner,
    sandbox,
)


@pytest.fixture
def root(db: None) -> User:
    """The operator."""
    return UserFactory(email="root@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(root: User) -> Client:
    """The operator's browser in the admin site."""
    browser = Client()
    browser.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def held_to_the_close(
    alice: User,
    make_bot: Callable[..., Bot],  # noqa: F811
    runner: Callable,  # noqa: F811
) -> Callable[..., BotSession]:
    """A settled session that sold the put spread 5945/5920 for 2.50 and held it; its settlement
    value as given.
    """

    def make(settlement_cents: int = market.SPOT_CENTS, **fields: object) -> BotSession:
        market.announce()
        market.publish([market.tick(1)])
        bot = make_bot(put_spread(), **fields)
        session = start_session(user=alice, bot_id=bot.pk)
        driver = runner()
        drive(driver)
        market.publish([market.tick(seq) for seq in range(2, 30)])
        drive(driver)
        market.publish([market.tick(30, put_up_cents=20)])  # the resting order is met
        drive(driver)
        market.close(settlement_cents=settlement_cents)
        drive(driver)
        BotSession.objects.update(owner=None, lease_until=None)  # it hands over
        session.refresh_from_db()
        return session

    return make
