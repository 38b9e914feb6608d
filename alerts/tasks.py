from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from alerts import services
from alerts.relay import relay
from common.jobs import job


@job
def send_alerts() -> str | None:
    """Tell what happened and attempt what is due; safe twice at once."""
    told = relay(now=timezone.now())
    attempted = services.deliver_due(now=timezone.now())
    return f"told {told} events, attempted {attempted} deliveries" if told or attempted else None


@job
def clean_up() -> str | None:
    deleted = services.delete_old_deliveries(
        kept_days=settings.ALERT_DELIVERIES_KEPT_DAYS, now=timezone.now()
    )
    return f"forgot {deleted} deliveries" if deleted else None
