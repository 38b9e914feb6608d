from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Telling users of state changes: signed webhooks and e-mail."""

    name = "alerts"
