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
    )  # the settled carry; moves only when a day settles
    policy = models.JSONField()  # simengine.policy.Policy.as_json(): flat fields and `reprice`
    auto_start = models.BooleanField(default=False)
    auto_start_since = models.DateTimeField(null=True, blank=True)  # wall clock it was switched on
    weekdays = ArrayField(models.CharField(max_length=3), default=every_weekday)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BotQuerySet.as_manager()

    class Meta:
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
