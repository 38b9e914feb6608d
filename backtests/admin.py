from __future__ import annotations

from django.contrib import admin

from backtests.models import Backtest, BacktestDay
from common.admin import ReadOnlyAdmin


@admin.register(Backtest)
class BacktestAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "owner",
        "strategy_name",
        "status",
        "done_count",
        "day_count",
        "lost_count",
        "lease_until",
        "ended_at",
        "reason",
    )
    list_select_related = ("owner",)
    list_filter = ("status",)
    ordering = ("pk",)


@admin.register(BacktestDay)
class BacktestDayAdmin(ReadOnlyAdmin):
    list_display = ("trading_date", "backtest", "outcome", "status", "total_pl_cents", "reason")
    list_select_related = ("backtest",)
    search_fields = ("=backtest__id",)
    search_help_text = "the id of a backtest"
    ordering = ("pk",)
