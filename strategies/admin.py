"""Strategies in the admin site: a strategy can only be looked at, a link can be taken down."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from strategies.models import Strategy, StrategyLink


@admin.register(Strategy)
class StrategyAdmin(ModelAdmin):
    list_display = ("source_hash", "created_at")
    search_fields = ("source_hash",)
    readonly_fields = ("source_hash", "program", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Strategy | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Strategy | None = None) -> bool:
        return False


@admin.register(StrategyLink)
class StrategyLinkAdmin(ModelAdmin):
    list_display = ("name", "owner", "kind", "privacy", "created_at")
    list_filter = ("kind", "privacy")
    search_fields = ("name", "owner__email", "strategy__source_hash")
    readonly_fields = ("id", "owner", "strategy", "kind", "config", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
