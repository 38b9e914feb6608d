"""Housekeeping of the common ground."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from common import jobs, services


@jobs.job
def clean_up() -> str | None:
    now = timezone.now()
    keys = services.delete_expired_idempotency_keys(now=now)
    runs = jobs.delete_old_runs(kept_hours=settings.JOB_RUNS_KEPT_HOURS, now=now)
    return f"forgot {keys} idempotency keys and {runs} runs of jobs" if keys or runs else None
