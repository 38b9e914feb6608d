from __future__ import annotations

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """What every app stands on."""

    name = "common"
    verbose_name = "operations"

    def ready(self) -> None:
        from common import metrics, readers  # noqa: PLC0415  models are there only now

        metrics.register("jobs", readers.jobs)
        metrics.register("processes", readers.processes)
        metrics.register("storage", readers.storage)
        metrics.register("readiness", readers.readiness)
