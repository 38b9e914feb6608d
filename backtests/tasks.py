"""Celery's side of backtests. The worker of the scheduled jobs has one hand: a day of market takes
seconds to minutes, so it starts a process for it and goes on.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from backtests import claims, services
from backtests.process import ensure_running
from common.jobs import job


@job
def start_backtests() -> str | None:
    """Every few seconds: a process for what waits, or for what lost the one it had.

    Two at once are harmless: a process that finds nothing to claim ends.
    """
    if not claims.claimable().exists():
        return None
    return "started a process" if ensure_running() else None


@job
def clean_up() -> str | None:
    deleted = services.delete_old(kept_days=settings.BACKTESTS_KEPT_DAYS, now=timezone.now())
    return f"forgot {deleted} backtests" if deleted else None
