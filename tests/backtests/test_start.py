"""Asking for a backtest: what is frozen, what is refused, and taking it back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backtests import services
from backtests.models import Backtest, BacktestDay, Status
from backtests.tapes import recorded_days
from common.errors import InvalidInput
from simengine.policy import Policy
from strategies.services import delete_link, save_strategy
from tests.backtests.conftest import DAYS
from tests.factories import PROGRAM
from tests.parallel import together
from tests.sessions import market

pytestmark = pytest.mark.django_db


def test_what_it_runs_with_is_frozen(alice, start, recorded):
    alice.slippage_cents, alice.open_fee_cents = 15, 100
    alice.save()

    backtest = start(policy={"max_open_orders": 3}, policy_name="Mine")
    alice.slippage_cents = 0
    alice.save()

    backtest.refresh_from_db()
    assert backtest.status == Status.WAITING
    assert backtest.slippage_cents == 15
    assert backtest.fee_schedule["open_cents"] == 100
    assert backtest.policy == {**Policy().as_json(), "max_open_orders": 3}
    assert [day.trading_date.isoformat() for day in backtest.days.all()] == list(DAYS)


def test_only_the_days_asked_for_are_taken(start, recorded):
    backtest = start(first=date(2026, 5, 6), last=date(2026, 5, 6))

    assert backtest.day_count == 1
    assert backtest.days.get().trading_date == date(2026, 5, 6)


def test_a_finished_market_day_counts_and_its_own_tape_is_preferred(record, tape_dir):
    imported = record("2026-05-07")
    market.announce()
    market.close()
    day = market.MarketDay.objects
    day.update(tape_digest="a" * 64, tape_path="/elsewhere/packed.parquet")
    assert imported.exists()

    assert [item.tape_path for item in recorded_days()] == ["/elsewhere/packed.parquet"]


def test_an_open_market_day_and_a_file_of_no_day_are_none(tape_dir):
    market.announce()
    (tape_dir / "notes.parquet").write_bytes(b"")
    (tape_dir / ".1-2026-05-07.parquet").write_bytes(b"")  # still growing

    assert recorded_days() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"capital_cents": 99_999}, "capital"),
        ({"first": date(2026, 5, 7), "last": date(2026, 5, 6)}, "last"),
        ({"first": date(2025, 1, 1), "last": date(2025, 1, 2)}, "first"),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_field(start, recorded, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        start(**changes)

    assert list(refusal.value.fields) == [field]
    assert not Backtest.objects.exists()


def test_too_many_days_are_refused(start, recorded, settings):
    settings.BACKTEST_DAYS_LIMIT = 2

    with pytest.raises(InvalidInput, match="at most 2"):
        start()


def test_a_user_has_one_at_a_time(start, recorded, bob):
    first = start()

    with pytest.raises(services.BacktestRunning, match="under way"):
        start()
    start(owner=bob)
    Backtest.objects.filter(pk=first.pk).update(status=Status.DONE)
    start()


@pytest.mark.django_db(transaction=True)
def test_of_two_asked_for_at_once_one_is_started(start, recorded):
    def ask() -> str:
        try:
            start()
        except services.BacktestRunning:
            return "refused"
        return "started"

    assert sorted(together([ask] * 3)) == ["refused", "refused", "started"]
    assert BacktestDay.objects.count() == 3


def test_the_database_keeps_it_to_one(start, recorded):
    first = start()
    Backtest.objects.update(status=Status.CANCELED)
    start()

    with pytest.raises(IntegrityError, match="one_live"), transaction.atomic():
        Backtest.objects.filter(pk=first.pk).update(status=Status.RUNNING)


def test_a_canceled_one_makes_room(start, recorded):
    backtest = start()

    assert services.cancel(backtest=backtest, now=timezone.now())
    assert not services.cancel(backtest=backtest, now=timezone.now())

    start()


def test_results_outlive_the_link_and_belong_to_the_program(alice, start, recorded, link):
    backtest = start()

    delete_link(link=link)

    backtest.refresh_from_db()
    assert (backtest.strategy_link, backtest.strategy_id) == (None, link.strategy_id)


def test_old_ones_are_forgotten_with_their_days(alice, start, recorded):
    now = timezone.now()
    old = start()
    Backtest.objects.update(status=Status.DONE, ended_at=now - timedelta(days=91))
    new = start(link=save_strategy(owner=alice, name="Other", program=PROGRAM))

    assert services.delete_old(kept_days=90, now=now) == 1

    assert list(Backtest.objects.all()) == [new]
    assert not BacktestDay.objects.filter(backtest=old.pk).exists()
