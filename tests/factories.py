"""Rows for tests, valid by default; a test names only what it is about."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from bots.models import Bot
from sessions.lifecycle import LIVE, Status
from sessions.models import BotSession
from simengine.policy import Policy
from strategies.models import Strategy, StrategyLink

PASSWORD = "correct horse battery staple"
TODAY = date(2026, 5, 7)
PROGRAM = 'times = ["10:00"]\n\n\ndef at(ctx, time):\n    ctx.log("looked")\n'


def at_new_york_noon(day: date) -> datetime:
    return datetime.combine(day, time(16), UTC)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"user{number}@example.com")
    password = factory.django.Password(PASSWORD)


class StrategyFactory(DjangoModelFactory):
    class Meta:
        model = Strategy
        django_get_or_create = ("source_hash",)

    program = PROGRAM
    source_hash = factory.LazyAttribute(
        lambda row: hashlib.sha256(row.program.encode()).hexdigest()
    )


class StrategyLinkFactory(DjangoModelFactory):
    class Meta:
        model = StrategyLink

    owner = factory.SubFactory(UserFactory)
    strategy = factory.SubFactory(StrategyFactory)
    name = "Delta-30 put spread"
    kind = StrategyLink.Kind.PROGRAM


class BotFactory(DjangoModelFactory):
    class Meta:
        model = Bot

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda number: f"bot {number}")
    strategy_link = factory.SubFactory(StrategyLinkFactory, owner=factory.SelfAttribute("..owner"))
    strategy = factory.SelfAttribute("strategy_link.strategy")
    strategy_name = factory.SelfAttribute("strategy_link.name")
    strategy_kind = factory.SelfAttribute("strategy_link.kind")
    starting_capital_cents = 2_500_000
    cash_balance_cents = factory.SelfAttribute("starting_capital_cents")
    policy = factory.LazyFunction(lambda: Policy().as_json())

    class Params:
        archived = factory.Trait(status=Bot.Status.ARCHIVED)


class BotSessionFactory(DjangoModelFactory):
    """A session of `TODAY`; running unless told otherwise; `settled=True` ends it flat."""

    class Meta:
        model = BotSession

    bot = factory.SubFactory(BotFactory)
    trading_date = TODAY
    status = Status.RUNNING
    strategy = factory.SelfAttribute("bot.strategy")
    strategy_name = factory.SelfAttribute("bot.strategy_name")
    policy = factory.SelfAttribute("bot.policy")
    opening_balance_cents = factory.SelfAttribute("bot.cash_balance_cents")
    fee_schedule = factory.LazyFunction(
        lambda: {"open_cents": 172, "close_cents": 72, "exercise_cents": 500}
    )
    slippage_cents = 5
    created_at = factory.LazyAttribute(lambda row: at_new_york_noon(row.trading_date))
    started_at = factory.SelfAttribute("created_at")
    ended_at = factory.LazyAttribute(
        lambda row: None if row.status in LIVE else row.created_at + timedelta(hours=4)
    )

    class Params:
        settled = factory.Trait(
            status=Status.COMPLETED,
            settled_at=factory.LazyAttribute(lambda row: row.created_at + timedelta(hours=4)),
            total_pl_cents=0,
            realized_pl_cents=factory.SelfAttribute("total_pl_cents"),
            total_fees_cents=0,
            final_nlv_cents=factory.LazyAttribute(
                lambda row: row.opening_balance_cents + row.total_pl_cents
            ),
            max_intraday_dd_cents=0,
            max_intraday_dd_bp=0,
            peak_nlv_cents=factory.SelfAttribute("final_nlv_cents"),
            trough_nlv_cents=factory.SelfAttribute("opening_balance_cents"),
            order_count=0,
            fill_count=0,
        )
