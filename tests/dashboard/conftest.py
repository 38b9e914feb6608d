from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from common.times import to_ms
from sessions import financials
from sessions.models import BotSession, Order, Trade
from simengine.step import Financials
from tests.sessions import market


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which somebody has signed in."""

    def make(user: User) -> Client:
        browser = Client()
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return browser

    return make


@pytest.fixture
def browser(alice: User, signed_in: Callable[[User], Client]) -> Client:
    """Alice's browser."""
    return signed_in(alice)


@pytest.fixture
def strangers_browser(bob: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(bob)


@pytest.fixture
def open_market(db: None) -> None:
    """Regular hours of 2026-05-07: the day is announced and its first tick is out."""
    market.announce()
    market.publish([market.tick(1)])


def write_line(session: BotSession, *profit_losses_cents: int) -> None:
    """One second each, from tick 1, in chunks of their own as a live runner commits them."""
    for seq, profit_loss in enumerate(profit_losses_cents, start=1):
        nlv = session.opening_balance_cents + profit_loss
        point = Financials(
            seq=seq,
            at_ms=to_ms(market.from_open(seq - 1)),
            net_liquidation_value=nlv,
            cash=nlv,
            unrealized_profit_loss=profit_loss,
            realized_profit_loss=0,
            profit_loss=profit_loss,
            fees=344,
            available_buying_power=nlv - 200_000,
            maintenance_margin=200_000,
        )
        financials.chunk(session.pk, [point]).save()


PUT_SPREAD = [
    {"instrument": "SPXW  260507P05945000", "quantity": -1},
    {"instrument": "SPXW  260507P05920000", "quantity": 1},
]


def make_trade(session: BotSession, **changes: object) -> Trade:
    """A put spread 5945/5920 sold for 2.60, with a target of 50 % and a stop of 200 %."""
    values = {
        "id": uuid4(),
        "at": market.from_open(10),
        "tick_seq": 11,
        "number": 1,
        "order_number": 1,
        "legs": PUT_SPREAD,
        "units": 2,
        "entry_cents": -260,
        "exit_rules": {
            "profit_target_bp": 5000,
            "stop_loss_bp": 20000,
            "exit_at_seconds": 57_000,
        },
        "status": "open",
    }
    return Trade.objects.create(session=session, **{**values, **changes})


def make_order(session: BotSession, **changes: object) -> Order:
    """An opening limit for the same spread, one tick off its peg."""
    legs = [
        {"instrument": "SPXW  260507P05945000", "quantity": 1, "action": "sell to open"},
        {"instrument": "SPXW  260507P05920000", "quantity": 1, "action": "buy to open"},
    ]
    values = {
        "id": uuid4(),
        "at": market.from_open(20),
        "tick_seq": 21,
        "number": 2,
        "kind": "opening",
        "type": "limit",
        "status": "pending",
        "legs": legs,
        "units": 1,
        "price_cents": -255,
        "intended_cents": -260,
        "concession_cents": 5,
        "replace_count": 1,
    }
    return Order.objects.create(session=session, **{**values, **changes})
