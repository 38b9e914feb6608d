from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from bots.models import Bot


@admin.register(Bot)
class BotAdmin(ModelAdmin):
    """For looking. Balances move by settlement and policies through the API, which checks them."""

    list_display = ("name", "owner", "strategy_name", "status", "cash_balance_cents", "auto_start")
    list_filter = ("status", "auto_start", "engine")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__email", "id")
    ordering = ("-created_at",)
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Bot | None = None) -> bool:
        return False
