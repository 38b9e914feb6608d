"""The admin site's common ground: pages for looking, the scheduled jobs, who changed what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_beat import models as beat
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common.models import Job, JobRun

# The schedule is a setting and written to these at every start: an edit would not last.
for scheduled in (
    beat.PeriodicTask,
    beat.IntervalSchedule,
    beat.CrontabSchedule,
    beat.SolarSchedule,
    beat.ClockedSchedule,
):
    admin.site.unregister(scheduled)


class QuickAdmin(ModelAdmin):
    """Lists that stay quick with a million rows: nothing counts them, an index gives the order."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50


class ReadOnlyAdmin(QuickAdmin):
    """Lists and pages without a way to add, change or delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def by_id(rows: QuerySet[Any], column: str, term: str) -> QuerySet[Any]:
    """The rows with this id, none for what is no id, all where nothing was asked for."""
    if not term.strip():
        return rows
    try:
        return rows.filter(**{column: UUID(term.strip())})
    except ValueError:
        return rows.none()


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "state",
        "last_started_at",
        "last_success_at",
        "last_took_ms",
        "run_count",
        "failure_count",
        "runs",
    )
    ordering = ("name",)

    @display(description="last run", label={"well": "success", "failed": "danger"})
    def state(self, job: Job) -> str:
        return "failed" if job.last_error else "well"

    @display(description="")
    def runs(self, job: Job) -> SafeString:
        return format_html('<a href="../jobrun/?q={}">runs</a>', job.name)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ("name", "started_at", "took_ms", "state", "did", "short_error", "process")
    search_fields = ("=name",)
    search_help_text = "the whole name of a job"
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[JobRun], search_term: str
    ) -> tuple[QuerySet[JobRun], bool]:
        term = search_term.strip()
        return (queryset.filter(name=term) if term else queryset), False

    @display(
        description="outcome",
        label={"done": "success", "failed": "danger", "running": "info"},
    )
    def state(self, run: JobRun) -> str:
        return run.outcome

    @display(description="error")
    def short_error(self, run: JobRun) -> str:
        return run.error[:120]


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Who changed what in the admin site, and when."""

    list_display = ("action_time", "user", "content_type", "object_repr", "message")
    list_select_related = ("user", "content_type")
    ordering = ("-id",)

    @display(description="change")
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message()
