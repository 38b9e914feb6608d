"""What is let go of, and what never is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.corrections import apply_corrections
from marketdata import ticklog
from sessions import retention
from sessions.models import BotSession, Order
from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import BotSessionFactory
from tests.operations.test_corrections import IN_THE_MONEY_CENTS, correct
from tests.sessions import market

pytestmark = pytest.mark.django_db
DAYS = [market.DAY.replace(day=day) for day in (4, 5, 6, 7)]


@pytest.fixture
def four_days() -> None:
    for day in DAYS:
        market.announce(day)
        market.close(day)
    market.MarketDay.objects.update(tape_digest="d" * 64)


def kept() -> list[int]:
    return [day.day for day in DAYS if ticklog.has_partition(day)]


def test_days_past_the_limit_leave_the_log(four_days):
    said = retention.keep_tick_log(keep_days=2)

    assert kept() == [6, 7]
    assert "dropped 2026-05-04" in said


def test_a_day_with_an_unsettled_session_or_without_a_tape_stays(four_days):
    BotSessionFactory(trading_date=DAYS[0], status="settling")
    market.MarketDay.objects.filter(pk=DAYS[1]).update(tape_digest="")

    retention.keep_tick_log(keep_days=1)

    assert kept() == [4, 5, 7]


def test_there_is_room_for_the_next_trading_day_over_a_weekend(db):
    friday, monday = market.DAY.replace(day=8), market.DAY.replace(day=11)
    market.announce(friday)
    ticklog.drop_partition(monday)

    retention.keep_tick_log(keep_days=5)

    assert ticklog.has_partition(monday)


def test_nothing_is_trimmed_unless_the_installation_wants_it(settings):
    session = BotSessionFactory(settled=True)
    write_line(session, 0)

    assert retention.trim(detail_days=0, now=timezone.now()) == 0
    assert session.financials.exists()


def test_only_lines_and_events_of_sessions_settled_long_ago_go():
    now = timezone.now()
    today = now.date()
    old = BotSessionFactory(settled=True, trading_date=today - timedelta(days=40))
    recent = BotSessionFactory(settled=True, trading_date=today - timedelta(days=20))
    unsettled = BotSessionFactory(status="settling", trading_date=today - timedelta(days=40))
    for session in (old, recent, unsettled):
        write_line(session, 0, 100)
        make_order(session)
        make_trade(session)

    trimmed = retention.trim(detail_days=30, now=now)

    assert trimmed == 1
    assert [s.financials.exists() for s in (old, recent, unsettled)] == [False, True, True]
    assert Order.objects.count() == 3
    assert BotSession.objects.get(pk=old.pk).trimmed_at == now


def test_a_trimmed_session_can_still_be_corrected(held_to_the_close):

    session = held_to_the_close()
    retention.trim(detail_days=1, now=timezone.now())

    correct(IN_THE_MONEY_CENTS)

    assert apply_corrections(now=timezone.now()) == 1
    assert not session.events.filter(kind="order_placed").exists()
