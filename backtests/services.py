"""Asking for a backtest, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from backtests import queries
from backtests.models import Backtest, BacktestDay, Status
from backtests.tapes import recorded_days
from bots.fields import MAX_CAPITAL_CENTS, MIN_CAPITAL_CENTS
from common import errors
from common.money import usd
from simengine.policy import merged
from strategies.models import StrategyLink

ONE_LIVE = "one_live_backtest_per_owner"


class BacktestRunning(errors.Conflict):
    code = "backtest_running"


def start(
    *,
    owner: User,
    link: StrategyLink,
    first: date,
    last: date,
    capital_cents: int,
    policy: Mapping[str, Any] | None = None,
    policy_name: str = "",
) -> Backtest:
    """The link's program over every recorded day from `first` to `last`, waiting for a process.

    Frozen here: the days' tapes, the policy (absent fields have their defaults), the owner's fees
    and slippage. Raises InvalidInput with `fields`, and BacktestRunning: one at a time for a user.
    """
    _check_capital(capital_cents)
    days = [day for day in recorded_days() if first <= day.trading_date <= last]
    _check_days(first, last, len(days))
    if queries.live_backtest(owner) is not None:
        raise _has_one(owner)
    try:
        with transaction.atomic():
            backtest = Backtest.objects.create(
                owner=owner,
                strategy_id=link.strategy_id,
                strategy_link=link,
                strategy_name=link.name,
                policy=merged(policy or {}, {}),
                policy_name=policy_name,
                capital_cents=capital_cents,
                slippage_cents=owner.slippage_cents,
                fee_schedule={
                    "open_cents": owner.open_fee_cents,
                    "close_cents": owner.close_fee_cents,
                    "exercise_cents": owner.exercise_fee_cents,
                },
                day_count=len(days),
            )
            BacktestDay.objects.bulk_create(
                BacktestDay(
                    backtest=backtest, trading_date=day.trading_date, tape_path=day.tape_path
                )
                for day in days
            )
    except IntegrityError as error:
        if ONE_LIVE not in str(error):
            raise
        raise _has_one(owner) from None
    return backtest


def cancel(*, backtest: Backtest, now: datetime) -> bool:
    """Its process lets go of it within a second; finished days stay. False where it has ended."""
    live = Backtest.objects.live().filter(pk=backtest.pk)
    return bool(live.update(status=Status.CANCELED, ended_at=now, runner=None, lease_until=None))


def delete_old(*, kept_days: int, now: datetime) -> int:
    """Forget backtests that ended longer ago, with their days; how many."""
    old = Backtest.objects.filter(ended_at__lt=now - timedelta(days=kept_days))
    _, by_model = old.delete()
    return by_model.get("backtests.Backtest", 0)


def _check_capital(capital_cents: int) -> None:
    if not MIN_CAPITAL_CENTS <= capital_cents <= MAX_CAPITAL_CENTS:
        why = f"must be from {usd(MIN_CAPITAL_CENTS)} to {usd(MAX_CAPITAL_CENTS)} dollars"
        raise errors.InvalidInput(f"The capital {why}.", fields={"capital": [why]})


def _check_days(first: date, last: date, count: int) -> None:
    most = settings.BACKTEST_DAYS_LIMIT
    if last < first:
        why = "must not be before the first day"
        raise errors.InvalidInput(f"The last day {why}.", fields={"last": [why]})
    if not count:
        why = f"no day is recorded from {first} to {last}"
        raise errors.InvalidInput(f"Nothing to run on: {why}.", fields={"first": [why]})
    if count > most:
        why = f"{count} days are recorded in this time; a backtest takes at most {most}"
        raise errors.InvalidInput(f"Too many days: {why}.", fields={"first": [why]})


def _has_one(owner: User) -> BacktestRunning:
    live = queries.live_backtest(owner)
    name = live.strategy_name if live else "another strategy"
    return BacktestRunning(f"A backtest of yours is under way ({name}); wait for it, or cancel it.")
