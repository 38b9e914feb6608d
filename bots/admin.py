"""Bots and what moved their balances by hand, in the admin site."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bots.models import BalanceAdjustment, Bot, SettlementCorrection
from common.admin import QuickAdmin, ReadOnlyAdmin, by_id


@admin.register(Bot)
class BotAdmin(QuickAdmin):
    """For looking. Balances move by settlement and policies through the API, which checks them."""

    list_display = ("name", "owner", "strategy_name", "status", "cash_balance_cents", "auto_start")
    list_select_related = ("owner",)
    search_fields = ("id",)
    search_help_text = "the id of a bot, or its owner's whole e-mail address"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fields = (
        "id",
        "owner",
        "name",
        "description",
        "status",
        "engine",
        "strategy",
        "strategy_name",
        "strategy_kind",
        "strategy_link",
        "starting_capital_cents",
        "cash_balance_cents",
        "policy",
        "auto_start",
        "auto_start_since",
        "weekdays",
        "created_at",
        "updated_at",
    )
    readonly_fields = tuple(name for name in fields if name not in {"name", "description"})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Bot], search_term: str
    ) -> tuple[QuerySet[Bot], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(owner__email=term.lower()), False
        return by_id(queryset, "id", term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Bot | None = None) -> bool:
        return False


@admin.register(SettlementCorrection)
class SettlementCorrectionAdmin(ReadOnlyAdmin):
    list_display = (
        "trading_date",
        "old_cents",
        "new_cents",
        "reason",
        "entered_by",
        "entered_at",
        "applied_at",
    )
    ordering = ("-id",)
    sortable_by = ()


@admin.register(BalanceAdjustment)
class BalanceAdjustmentAdmin(ReadOnlyAdmin):
    list_display = (
        "bot",
        "session",
        "amount_cents",
        "balance_before_cents",
        "balance_after_cents",
        "reason",
        "made_by",
        "made_at",
    )
    list_select_related = ("bot",)
    search_fields = ("bot__id",)
    search_help_text = "the id of a bot or of a session"
    ordering = ("-id",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BalanceAdjustment]:
        rows: QuerySet[BalanceAdjustment] = super().get_queryset(request)
        return rows.select_related("session__bot").defer("session__state")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BalanceAdjustment], search_term: str
    ) -> tuple[QuerySet[BalanceAdjustment], bool]:
        found = by_id(queryset, "bot", search_term) | by_id(queryset, "session", search_term)
        return found, False
