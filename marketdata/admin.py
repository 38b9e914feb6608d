from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from marketdata.models import MarketDay


@admin.register(MarketDay)
class MarketDayAdmin(ModelAdmin):
    """For looking: days are made and closed by the market process alone."""

    list_display = (
        "trading_date",
        "source",
        "status",
        "last_seq",
        "settlement_cents",
        "settlement_source",
    )
    list_filter = ("status",)
    ordering = ("-trading_date",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MarketDay | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MarketDay | None = None) -> bool:
        return False
