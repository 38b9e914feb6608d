"""Scheduled jobs: Celery tasks whose every run is written down (when, how long, how it ended).

A job may be sent twice, late, or by two beats at once: each is safe to run twice at the same moment
and says in a word what it did. The admin site and /metrics show the rows.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from celery import shared_task
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from common import metrics
from common.models import Job, JobRun

log = logging.getLogger(__name__)

ERROR_LENGTH = 2_000


def job(function: Callable[[], str | None]) -> Any:
    """Makes a Celery task of a function that returns what it did, or None for nothing to tell.

    An exception is written down, logged by Celery and costs this run only.
    """
    name = f"{function.__module__}.{function.__name__}"

    @wraps(function)
    def recorded(**_newer_arguments: object) -> None:
        run = _begin(name)
        started = time.perf_counter()
        try:
            did = function()
        except Exception as exc:  # written down and raised again
            _end_failed(run, exc, took_ms=_ms_since(started))
            raise
        _end(run, took_ms=_ms_since(started), did=did or "")

    return shared_task(ignore_result=True)(recorded)


def delete_old_runs(*, kept_hours: int, now: datetime) -> int:
    """Forget runs that began longer ago; how many. The jobs themselves stay."""
    deleted, _ = JobRun.objects.filter(started_at__lt=now - timedelta(hours=kept_hours)).delete()
    return deleted


def _begin(name: str) -> JobRun:
    now = timezone.now()
    process = f"{socket.gethostname()}:{os.getpid()}"
    with transaction.atomic():
        Job.objects.get_or_create(name=name)
        Job.objects.filter(name=name).update(last_started_at=now, run_count=F("run_count") + 1)
        return JobRun.objects.create(name=name, started_at=now, process=process)


def _end(run: JobRun, *, took_ms: int, did: str) -> None:
    ended_at = run.started_at + timedelta(milliseconds=took_ms)
    with transaction.atomic():
        Job.objects.filter(name=run.name).update(
            last_success_at=ended_at, last_took_ms=took_ms, last_error=""
        )
        JobRun.objects.filter(pk=run.pk).update(
            outcome=JobRun.Outcome.DONE, took_ms=took_ms, did=did
        )
    metrics.JOB_SECONDS.labels(run.name, "done").observe(took_ms / 1_000)
    if did:
        log.info("%s: %s", run.name, did)


def _end_failed(run: JobRun, exc: Exception, *, took_ms: int) -> None:
    metrics.JOB_SECONDS.labels(run.name, "failed").observe(took_ms / 1_000)
    error = f"{type(exc).__name__}: {exc}"[:ERROR_LENGTH]
    try:
        with transaction.atomic():
            Job.objects.filter(name=run.name).update(
                last_took_ms=took_ms, last_error=error, failure_count=F("failure_count") + 1
            )
            JobRun.objects.filter(pk=run.pk).update(
                outcome=JobRun.Outcome.FAILED, took_ms=took_ms, error=error
            )
    except DatabaseError as trouble:  # often what made the job fail: the run stays `running`
        log.warning("the end of %s could not be written down: %s", run.name, trouble)
        connection.close()


def _ms_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000)
