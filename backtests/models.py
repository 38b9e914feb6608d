"""A strategy run over recorded days, one after the other, with the balance carried as a bot's is.

What it runs with is frozen when it is asked for. A day's result is a row that is written once, so a
backtest that lost its process goes on after the last day that was finished.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


LIVE = (Status.RUNNING, Status.WAITING)


class BacktestQuerySet(models.QuerySet["Backtest"]):
    def owned_by(self, user: Any) -> BacktestQuerySet:
        return self.filter(owner=user)

    def live(self) -> BacktestQuerySet:
        return self.filter(status__in=LIVE)


class Backtest(models.Model):
    """Results belong to the program: every link of the owner to the same one shows them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="backtests"
    )
    strategy = models.ForeignKey(
        "strategies.Strategy", on_delete=models.PROTECT, related_name="backtests"
    )
    strategy_link = models.ForeignKey(  # where it was asked for; it may go
        "strategies.StrategyLink", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    strategy_name = models.CharField(max_length=80)
    policy = models.JSONField()
    policy_name = models.CharField(max_length=80, blank=True, default="")  # whose it was: a bot's
    capital_cents = models.BigIntegerField()
    slippage_cents = models.PositiveIntegerField()
    fee_schedule = models.JSONField()  # keyword arguments of FeeSchedule
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=500, blank=True, default="")  # why it ended early
    engine_version = models.CharField(max_length=40, blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")  # see services.digest_of
    # Progress: finished days, and how much of the next one.
    day_count = models.PositiveIntegerField()
    done_count = models.PositiveIntegerField(default=0)
    day_pct = models.PositiveSmallIntegerField(default=0)
    # Who runs it. After `lease_until` (the database's clock) another process may take it over.
    runner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    lost_count = models.PositiveSmallIntegerField(default=0)  # runners since the last finished day
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = BacktestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(status__in=sorted(LIVE)),
                name="one_live_backtest_per_owner",
            )
        ]
        indexes = [
            models.Index(
                fields=["owner", "strategy", "-created_at"], name="backtests_newest_first"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=sorted(LIVE)),
                name="live_backtests",
            ),
            models.Index(fields=["ended_at"], name="ended_backtests"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_name}, {self.day_count} days"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def progress_pct(self) -> int:
        """Of all days, the one under way by its ticks."""
        return (100 * self.done_count + self.day_pct) // self.day_count


class BacktestDay(models.Model):
    """One recorded day of a backtest. Money in cents; without a result the columns are null."""

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        RAN = "ran"
        UNUSABLE = "unusable"  # no session can run on the tape; `reason` says why

    id = models.BigAutoField(primary_key=True)
    backtest = models.ForeignKey(Backtest, on_delete=models.CASCADE, related_name="days")
    trading_date = models.DateField()
    tape_path = models.TextField()
    tape_digest = models.CharField(max_length=64, blank=True, default="")
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    status = models.CharField(max_length=20, blank=True, default="")  # how the session ended
    reason = models.CharField(max_length=500, blank=True, default="")
    opening_balance_cents = models.BigIntegerField(null=True)
    total_pl_cents = models.BigIntegerField(null=True)
    final_nlv_cents = models.BigIntegerField(null=True)
    max_intraday_dd_cents = models.BigIntegerField(null=True)
    fees_cents = models.BigIntegerField(null=True)
    order_count = models.PositiveIntegerField(null=True)
    fill_count = models.PositiveIntegerField(null=True)
    settlement_cents = models.BigIntegerField(null=True)
    settlement_source = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ["trading_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["backtest", "trading_date"], name="one_result_per_backtest_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.trading_date} of {self.backtest_id}"
