from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from alerts.models import Channel, Delivery
from common.admin import ReadOnlyAdmin, by_id


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    list_display = ("owner", "type", "url", "kinds", "created_at")
    list_select_related = ("owner",)
    exclude = ("secret",)
    ordering = ("pk",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("kind", "channel", "status", "attempts", "due_at", "answer", "created_at")
    list_select_related = ("channel",)
    search_fields = ("channel__id",)
    search_help_text = "the id of a channel"
    ordering = ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        return by_id(queryset, "channel", search_term), False
