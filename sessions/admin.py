"""Sessions and their ledgers in the admin site: for looking, never for editing.

What is written below a session is the record; what is to happen to one is asked for by a request.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from sessions.models import BotSession, Order, SessionRequest, Transaction


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Lists and pages without a way to add, change or delete; counts no million rows."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BotSession)
class BotSessionAdmin(ReadOnlyAdmin):
    list_display = (
        "bot",
        "owner_email",
        "trading_date",
        "status",
        "owner",
        "lease_until",
        "epoch",
        "takeovers",
        "last_tick_seq",
        "last_tick_at",
        "tick_count",
        "error_count",
        "settled_at",
    )
    list_filter = ("status", "trading_date")
    search_fields = ("id", "bot__name", "bot__owner__email")
    ordering = ("-trading_date", "-created_at")
    exclude = ("state",)  # the engine's snapshot is large and says nothing to people

    def get_queryset(self, request: HttpRequest) -> QuerySet[BotSession]:
        rows: QuerySet[BotSession] = super().get_queryset(request)
        return rows.select_related("bot__owner").defer("state")

    @admin.display(description="user", ordering="bot__owner__email")
    def owner_email(self, session: BotSession) -> str:
        return session.bot.owner.email


class LedgerAdmin(ReadOnlyAdmin):
    """Rows below a session; found by its id."""

    search_fields = ("session__id",)
    search_help_text = "the id of a session"
    ordering = ("-at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("session").defer("session__state")


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
    list_filter = ("status", "kind")


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


@admin.register(SessionRequest)
class SessionRequestAdmin(ReadOnlyAdmin):
    list_display = ("session", "kind", "requested_by", "requested_at", "obeyed_seq")
    list_filter = ("kind",)
    search_fields = ("session__id", "requested_by__email")
    ordering = ("-requested_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionRequest]:
        rows: QuerySet[SessionRequest] = super().get_queryset(request)
        return rows.select_related("session", "requested_by").defer("session__state")
