"""A bot is a paper account with a pinned strategy, a policy and a balance that compounds."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


def every_weekday() -> list[str]:
    return ["mon", "tue", "wed", "thu", "fri"]


class BotQuerySet(models.QuerySet["Bot"]):
    def owned_by(self, user: Any) -> BotQuerySet:
        return self.filter(owner=user)

    def active(self) -> BotQuerySet:
        return self.exclude(status=Bot.Status.ARCHIVED)


class Bot(models.Model):
    class Status(models.TextChoices):
        IDLE = "idle"
        ARCHIVED = "archived"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bots"
    )
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True, default="")
    engine = models.CharField(max_length=20, default="live_sim")
    # The pin. The link may go; what the bot runs stays.
    strategy = models.ForeignKey(
        "strategies.Strategy", on_delete=models.PROTECT, related_name="bots"
    )
    strategy_link = models.ForeignKey(
        "strategies.StrategyLink", null=True, on_delete=models.SET_NULL, related_name="bots"
    )
    strategy_name = models.CharField(max_length=80)
    strategy_kind = models.CharField(max_length=7)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.IDLE)
    starting_capital_cents = models.BigIntegerField()
    cash_balance_cents = (
        models.BigIntegerField()
    )  # the settled carry; moves when a day settles and by a BalanceAdjustment
    policy = models.JSONField()  # simengine.policy.Policy.as_json(): flat fields and `reprice`
    auto_start = models.BooleanField(default=False)
    auto_start_since = models.DateTimeField(null=True, blank=True)  # wall clock it was switched on
    weekdays = ArrayField(models.CharField(max_length=3), default=every_weekday)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BotQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="bots_newest_first")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=~Q(status="archived"),
                name="unique_name_among_active_bots",
            ),
            models.CheckConstraint(
                condition=Q(starting_capital_cents__gte=100_000)
                & Q(starting_capital_cents__lte=100_000_000_000),
                name="starting_capital_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SettlementCorrection(models.Model):
    """What an operator entered as a day's settlement value. Append-only; `applied_at` once every
    session of the day is settled and stands at this value.
    """

    trading_date = models.DateField()
    old_cents = models.BigIntegerField(null=True)  # null: there was no value before
    new_cents = models.BigIntegerField()
    reason = models.TextField()
    entered_by = models.CharField(max_length=254)
    entered_at = models.DateTimeField()  # wall clock
    applied_at = models.DateTimeField(null=True)  # wall clock

    class Meta:
        indexes = [
            models.Index(  # apply_corrections() asks every few seconds
                fields=["id"], name="corrections_to_apply", condition=Q(applied_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.trading_date} settles at {self.new_cents} cents"


class BalanceAdjustment(models.Model):
    """An entry that moves a bot's balance outside a settlement; append-only (migration 0002).

    `session` is the settled session it makes good for. `carried_after` is the session whose closing
    balance it follows: closing balance of that one + its adjustments = opening balance of the next.
    """

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="adjustments")
    session = models.ForeignKey(
        "bot_sessions.BotSession", on_delete=models.CASCADE, related_name="adjustments"
    )
    carried_after = models.ForeignKey(
        "bot_sessions.BotSession", on_delete=models.CASCADE, related_name="carried_adjustments"
    )
    correction = models.ForeignKey(
        SettlementCorrection, on_delete=models.PROTECT, related_name="adjustments"
    )
    old_settlement_cents = models.BigIntegerField()  # what the session's books stood at
    new_settlement_cents = models.BigIntegerField()
    amount_cents = models.BigIntegerField()  # added to the balance
    balance_before_cents = models.BigIntegerField()
    balance_after_cents = models.BigIntegerField()
    reason = models.TextField()
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField()  # wall clock

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["correction", "session"], name="one_adjustment_per_correction"
            ),
            models.CheckConstraint(condition=~Q(amount_cents=0), name="adjustment_moves_something"),
            models.CheckConstraint(
                condition=Q(
                    balance_after_cents=models.F("balance_before_cents") + models.F("amount_cents")
                ),
                name="adjustment_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_cents} cents on {self.bot_id}"
