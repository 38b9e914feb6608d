# mypy: disable-error-code="type-arg"
# DRF's serializers are generic in their stubs and not at run time.
"""Query parameters of the session endpoints; `ApiView.query` refuses all others."""

from __future__ import annotations

from rest_framework import serializers

from common.shapes import Choice, Flag, Instant, WholeNumber

ORDER_STATUSES = ("pending", "filled", "canceled", "expired", "rejected")


class StopQuery(serializers.Serializer):
    flatten = Flag(default=False, help_text="Close open positions at market first (ours).")


class OrderQuery(serializers.Serializer):
    status = Choice(ORDER_STATUSES, required=False)


class FinancialsQuery(serializers.Serializer):
    interval = WholeNumber(
        default=1,
        min_value=1,
        max_value=3600,
        help_text="Seconds: the last row of every interval.",
    )
    since = Instant(required=False, help_text="RFC 3339; only rows after this time.")
