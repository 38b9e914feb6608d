from __future__ import annotations

from django.apps import AppConfig


class BacktestsConfig(AppConfig):
    """Strategies run over recorded days, in the background."""

    name = "backtests"
