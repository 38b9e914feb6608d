# mypy: disable-error-code="type-arg"
# DRF's serializers are generic in their stubs and not at run time.
"""The answers of the bot endpoints, for the OpenAPI document; `bots.shapes` makes them.

A test holds the two against each other.
"""

from __future__ import annotations

from drf_spectacular.drainage import set_override
from rest_framework import serializers

from bots import models, policy_schema
from bots.fields import LIVE_SIM
from common.shapes import Instant, Money
from sessions.lifecycle import TERMINAL
from sessions.schema import Session

RUNTIME_STATUSES = ["idle", "scheduled", "running", *sorted(TERMINAL), "archived"]


class AnsweredPolicyValue(serializers.Field):
    def __init__(self, name: str) -> None:
        super().__init__()
        set_override(self, "field", policy_schema.OUTPUT[name])


class PinnedStrategy(serializers.Serializer):
    """What the bot runs, also after its link was deleted."""

    source_hash = serializers.CharField(help_text="SHA-256 of the program, hex.")
    kind = serializers.ChoiceField(["form", "program"])
    name = serializers.CharField()


class BotSchedule(serializers.Serializer):
    auto_start = serializers.BooleanField()
    weekdays = serializers.ListField(child=serializers.ChoiceField(models.every_weekday()))


class Bot(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    type = serializers.ChoiceField(["bot"])
    engine = serializers.ChoiceField([LIVE_SIM])
    strategy_id = serializers.UUIDField(
        allow_null=True, help_text="Your saved-strategy link; null once it is deleted."
    )
    strategy = PinnedStrategy()
    status = serializers.ChoiceField(models.Bot.Status.values)
    runtime_status = serializers.ChoiceField(
        RUNTIME_STATUSES, help_text="What its current or last session is doing."
    )
    starting_capital = Money()
    cash_balance = Money(help_text="The carried cash; moves when a session settles.")
    max_daily_loss_pct = AnsweredPolicyValue("max_daily_loss_pct")
    max_open_positions = AnsweredPolicyValue("max_open_positions")
    max_open_orders = AnsweredPolicyValue("max_open_orders")
    data_staleness_threshold_ms = AnsweredPolicyValue("data_staleness_threshold_ms")
    auto_pause_on_error = AnsweredPolicyValue("auto_pause_on_error")
    error_budget = AnsweredPolicyValue("error_budget")
    reprice = AnsweredPolicyValue("reprice")
    schedule = BotSchedule()
    active_session = Session(allow_null=True, help_text="The live session, or null.")
    last_session = Session(allow_null=True, help_text="The latest session that has ended, or null.")
    created_at = Instant()
    updated_at = Instant()


class BalanceAdjustment(serializers.Serializer):
    """A correction that moved the balance outside a settlement; the session's own rows stay."""

    id = serializers.IntegerField()
    datetime = Instant()
    session_id = serializers.UUIDField(help_text="The settled session it makes good for.")
    carried_after_session_id = serializers.UUIDField(
        help_text="Its closing balance and its adjustments make the next opening balance."
    )
    amount = Money(help_text="Added to the balance.")
    balance_before = Money()
    balance_after = Money()
    old_settlement = Money()
    new_settlement = Money()
    reason = serializers.CharField()


class BotWithSessions(serializers.Serializer):
    bot = Bot()
    sessions = Session(many=True, help_text="Newest first, at most 90.")


class DayResult(serializers.Serializer):
    date = serializers.DateField()
    total_pl = Money()


class SparklinePoint(DayResult):
    cumulative_pl = Money()
    closing_balance = Money()


class BotSummary(serializers.Serializer):
    total_sessions = serializers.IntegerField()
    win_count = serializers.IntegerField()
    loss_count = serializers.IntegerField()
    win_rate_pct = serializers.RegexField(
        r"^[0-9]+\.[0-9]{2}$", allow_null=True, help_text="Wins in percent of all settled sessions."
    )
    total_pl = Money(allow_null=True)
    best_day = DayResult(allow_null=True)
    worst_day = DayResult(allow_null=True)
    average_day_pl = Money(allow_null=True, help_text="Rounded to the cent, half away from zero.")
    sparkline = SparklinePoint(many=True)
