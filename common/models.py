"""What a repeated request needs, and how the scheduled jobs went."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """One first answer, written in the transaction of its effect: neither exists alone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of method, path and body
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="")
    created_at = models.DateTimeField(db_index=True)  # delete_expired_idempotency_keys() scans it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_user_and_key")
        ]

    def __str__(self) -> str:
        return self.key


class Job(models.Model):
    """A scheduled job as it last went: one row a name. Written by common.jobs alone."""

    name = models.CharField(max_length=100, primary_key=True)
    run_count = models.PositiveBigIntegerField(default=0)
    failure_count = models.PositiveBigIntegerField(default=0)
    last_started_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)  # when the last run that did not fail ended
    last_took_ms = models.PositiveIntegerField(null=True)
    last_error = models.TextField(blank=True, default="")  # of the last run; empty if it went well

    def __str__(self) -> str:
        return self.name


class JobRun(models.Model):
    """One run of a scheduled job; common.tasks.clean_up forgets it after JOB_RUNS_KEPT_HOURS."""

    class Outcome(models.TextChoices):
        RUNNING = "running"  # or its worker died
        DONE = "done"
        FAILED = "failed"

    name = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_index=True)  # wall clock
    took_ms = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default=Outcome.RUNNING)
    did = models.TextField(blank=True, default="")  # what it says it has done, if anything
    error = models.TextField(blank=True, default="")
    process = models.CharField(max_length=120)  # host and process id

    class Meta:
        indexes = [models.Index(fields=["name", "-id"], name="runs_of_a_job")]

    def __str__(self) -> str:
        return f"{self.name} at {self.started_at:%Y-%m-%d %H:%M:%S}"
