# mypy: disable-error-code="type-arg"
# DRF's serializers are generic in their stubs and not at run time.
"""The answers of the session endpoints, for the OpenAPI document; `sessions.shapes` makes them."""

from __future__ import annotations

from rest_framework import serializers

from common.shapes import Instant, Money
from sessions.lifecycle import Status


class FeeScheduleShape(serializers.Serializer):
    open = Money()
    close = Money()
    exercise = Money()


class RanStrategy(serializers.Serializer):
    source_hash = serializers.CharField(help_text="SHA-256 of the program, hex.")
    name = serializers.CharField()


class Session(serializers.Serializer):
    """One trading day of a bot. The roll-up is null until the session settles."""

    session_id = serializers.UUIDField()
    bot_id = serializers.UUIDField()
    date = serializers.DateField(help_text="The trading day in New York.")
    status = serializers.ChoiceField(Status.values)
    status_reason = serializers.CharField(allow_null=True)
    opening_balance = Money(allow_null=True)
    policy = serializers.DictField(
        allow_null=True, help_text="The frozen policy; null until registered."
    )
    fee_schedule = FeeScheduleShape(allow_null=True)
    slippage = Money(allow_null=True)
    strategy = RanStrategy()
    created_at = Instant()
    started_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    settled_at = Instant(allow_null=True)
    last_tick_at = Instant(allow_null=True)
    tick_count = serializers.IntegerField()
    error_count = serializers.IntegerField()
    final_nlv = Money(allow_null=True)
    realized_pl = Money(allow_null=True, help_text="Before fees.")
    total_pl = Money(allow_null=True, help_text="final_nlv less opening_balance.")
    total_fees = Money(allow_null=True)
    max_intraday_dd = Money(allow_null=True)
    max_intraday_dd_pct = serializers.CharField(
        allow_null=True, help_text='A ratio of the peak: "0.0203" is 2.03 %.'
    )
    peak_nlv = Money(allow_null=True)
    trough_nlv = Money(allow_null=True)
    order_count = serializers.IntegerField(allow_null=True)
    fill_count = serializers.IntegerField(allow_null=True)


class TransactionShape(serializers.Serializer):
    id = serializers.UUIDField()
    datetime = Instant()
    order_id = serializers.UUIDField(allow_null=True, help_text="Null for settlement.")
    instrument = serializers.CharField()
    type = serializers.ChoiceField(
        [
            "buy to open",
            "sell to open",
            "buy to close",
            "sell to close",
            "expiration",
            "exercise",
            "assignment",
        ]
    )
    quantity = serializers.CharField()
    price = Money(help_text="Per contract, with the ×100.")
    value = Money()
    effect = serializers.ChoiceField(["debit", "credit"])
    fees = Money()


class OrderLeg(serializers.Serializer):
    instrument = serializers.CharField()
    quantity = serializers.CharField()
    action = serializers.ChoiceField(
        ["buy to open", "sell to open", "buy to close", "sell to close"]
    )


class BuyingPowerEffect(serializers.Serializer):
    margin = Money()
    available_buying_power = Money()


class OrderShape(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(["market", "limit", "stop"])
    kind = serializers.ChoiceField(["opening", "closing"])
    status = serializers.ChoiceField(["pending", "filled", "canceled", "expired", "rejected"])
    price = Money(allow_null=True, help_text="The resting limit; null for a market order.")
    price_effect = serializers.ChoiceField(["debit", "credit"], allow_null=True)
    legs = OrderLeg(many=True)
    intended_price = Money(allow_null=True)
    concession = Money(help_text="Dollars walked from the peg toward the market maker.")
    replace_count = serializers.IntegerField()
    placed_at = Instant()
    fill_price = Money(allow_null=True)
    fill_datetime = Instant(allow_null=True)
    fees = Money()
    reject_reason = serializers.CharField(allow_null=True)
    transactions = TransactionShape(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = super().get_fields()
        fields["buying-power-effect"] = BuyingPowerEffect()
        return fields


class PositionShape(serializers.Serializer):
    id = serializers.UUIDField()
    instrument = serializers.CharField()
    direction = serializers.ChoiceField(["long", "short", "zero"])
    quantity = serializers.CharField()
    cost_basis = Money()
    price = Money(allow_null=True, help_text="The mid against the latest tick.")
    delta = serializers.CharField(allow_null=True, help_text="Per contract, signed by direction.")
    unrealized_profit_loss = Money()
    realized_profit_loss = Money()
    total_profit_loss = Money(help_text="realized + unrealized - fees.")


class FinancialShape(serializers.Serializer):
    datetime = Instant()
    net_liquidation_value = Money()
    cash = Money()
    unrealized_profit_loss = Money()
    realized_profit_loss = Money()
    profit_loss = Money(help_text="realized + unrealized - fees = NLV - opening balance.")
    fees = Money()
    available_buying_power = Money()
    maintenance_margin = Money()


class DecisionShape(serializers.Serializer):
    seq = serializers.IntegerField()
    datetime = Instant()
    kind = serializers.ChoiceField(["log", "signal"])
    name = serializers.CharField(allow_null=True)
    message = serializers.CharField(allow_null=True)
    data = serializers.DictField()  # type: ignore[assignment]  # shadows Serializer.data


class EventShape(serializers.Serializer):
    id = serializers.UUIDField()
    datetime = Instant()
    tick_seq = serializers.IntegerField()
    index = serializers.IntegerField(help_text="Order within the tick.")
    kind = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # shadows Serializer.data


class EntryShape(serializers.Serializer):
    scheduled_at = Instant()
    outcome = serializers.ChoiceField(
        ["planned", "working", "filled", "unfilled", "skipped", "missed", "blocked"]
    )
    reason = serializers.CharField(allow_null=True)
    order_id = serializers.UUIDField(allow_null=True)
