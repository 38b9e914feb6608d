"""Strategies in the admin site: a strategy can only be looked at, a link can be taken down."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import QuickAdmin, ReadOnlyAdmin
from strategies.models import Strategy, StrategyLink


@admin.register(Strategy)
class StrategyAdmin(ReadOnlyAdmin):
    list_display = ("source_hash", "created_at")
    search_fields = ("=source_hash",)
    search_help_text = "the whole hash"
    ordering = ("source_hash",)
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Strategy], search_term: str
    ) -> tuple[QuerySet[Strategy], bool]:
        term = search_term.strip()
        return (queryset.filter(source_hash=term) if term else queryset), False


@admin.register(StrategyLink)
class StrategyLinkAdmin(QuickAdmin):
    list_display = ("name", "owner", "kind", "privacy", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id",)
    search_help_text = "the id of a link, or its owner's whole e-mail address"
    readonly_fields = ("id", "owner", "strategy", "kind", "config", "created_at")
    ordering = ("owner", "-created_at", "-id")  # the order of its index
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StrategyLink], search_term: str
    ) -> tuple[QuerySet[StrategyLink], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(owner__email=term.lower()), False
        try:
            return (queryset.filter(pk=UUID(term)) if term else queryset), False
        except ValueError:
            return queryset.none(), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
