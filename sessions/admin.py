"""The ledgers of sessions in the admin site: for looking, never for editing.

What is written below a session is the record; what is to happen to one is asked for by a request.
The sessions themselves are dashboard.admin's, which also knows their bots and their figures.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyAdmin, by_id
from sessions.models import (
    DayRollUp,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    SessionRequest,
    Trade,
    Transaction,
)


class LedgerAdmin(ReadOnlyAdmin):
    """Rows below a session, in the order of its own numbers; found by its id."""

    search_fields = ("session__id",)
    search_help_text = "the id of a session"
    ordering: tuple[str, ...] = ("session", "number")
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("session__bot").defer("session__state")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return by_id(queryset, "session", search_term), False


@admin.register(Order)
class OrderAdmin(LedgerAdmin):
    list_display = (
        "session",
        "number",
        "at",
        "kind",
        "type",
        "status",
        "price_cents",
        "fill_price_cents",
        "replace_count",
    )


@admin.register(Transaction)
class TransactionAdmin(LedgerAdmin):
    list_display = (
        "session",
        "number",
        "at",
        "instrument",
        "type",
        "quantity",
        "value_cents",
        "effect",
        "fees_cents",
    )


@admin.register(Trade)
class TradeAdmin(LedgerAdmin):
    list_display = (
        "session",
        "number",
        "at",
        "units",
        "entry_cents",
        "status",
        "close_reason",
        "exit_cents",
        "profit_cents",
    )


@admin.register(Position)
class PositionAdmin(LedgerAdmin):
    list_display = ("session", "instrument", "quantity", "cost_basis_cents", "realized_cents")
    ordering = ("session", "instrument")


@admin.register(Decision)
class DecisionAdmin(LedgerAdmin):
    list_display = ("session", "number", "at", "kind", "name", "message")


@admin.register(Entry)
class EntryAdmin(LedgerAdmin):
    list_display = ("session", "number", "at", "outcome", "reason", "order_number")


@admin.register(SessionEvent)
class SessionEventAdmin(LedgerAdmin):
    list_display = ("session", "tick_seq", "index", "at", "kind", "data")
    ordering = ("session", "tick_seq", "index")


@admin.register(SessionRequest)
class SessionRequestAdmin(LedgerAdmin):
    list_display = ("session", "kind", "requested_by", "requested_at", "obeyed_seq")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionRequest]:
        return super().get_queryset(request).select_related("requested_by")


@admin.register(DayRollUp)
class DayRollUpAdmin(ReadOnlyAdmin):
    list_display = (
        "trading_date",
        "session_count",
        "completed_count",
        "halted_count",
        "killed_count",
        "failed_count",
        "total_pl_cents",
        "total_fees_cents",
        "fill_count",
        "error_count",
        "takeover_count",
    )
    ordering = ("-trading_date",)
    sortable_by = ()
