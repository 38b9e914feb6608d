"""A user's channels and their log."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from alerts.models import Channel, Delivery


def channels_of(user: User) -> QuerySet[Channel]:
    """Oldest first."""
    return Channel.objects.owned_by(user).order_by("created_at", "pk")


def deliveries_of(user: User) -> QuerySet[Delivery]:
    """Newest first."""
    rows = Delivery.objects.filter(channel__owner=user).select_related("channel")
    return rows.order_by("-created_at", "pk")
