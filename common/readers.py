"""The numbers of the common ground that are read on a scrape (common.metrics)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from prometheus_client.core import CounterMetricFamily, Metric

from common import health, presence
from common.metrics import gauge, gauges
from common.models import Job

# The lines of the Procfile: a kind that is missing must read 0, not nothing.
KINDS = ("web", "market", "worker-sessions", "worker", "beat")


def jobs() -> Iterator[Metric]:
    rows = list(Job.objects.order_by("name"))
    yield gauges(
        "zerohour_job_last_success_timestamp_seconds",
        "Unix time at which the job last ended well.",
        "job",
        [(job.name, job.last_success_at.timestamp()) for job in rows if job.last_success_at],
    )
    failures = CounterMetricFamily(
        "zerohour_job_failures", "Runs that ended with an error.", labels=["job"]
    )
    for job in rows:
        failures.add_metric([job.name], job.failure_count)
    yield failures


def processes() -> Iterator[Metric]:
    seen = Counter(process.kind for process in presence.processes())
    yield gauges(
        "zerohour_processes",
        "Processes that gave a sign of life within 15 s, by line of the Procfile.",
        "kind",
        [(kind, seen[kind]) for kind in sorted({*KINDS, *seen})],
    )


def storage() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        yield gauge("zerohour_database_bytes", "Size of the database.", cursor.fetchone()[0])
    if settings.DATA_DIR.exists():
        free_bytes = shutil.disk_usage(settings.DATA_DIR).free
        yield gauge("zerohour_disk_free_bytes", "Free where tapes and logs are kept.", free_bytes)


def readiness() -> Iterator[Metric]:
    down = health.troubles()
    yield gauges(
        "zerohour_ready",
        "1 where a check of /ready passes.",
        "check",
        [(name, float(name not in down)) for name in health.names()],
    )
