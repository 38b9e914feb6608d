"""Housekeeping of the common ground."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from common import services


@shared_task
def clean_up(**_newer_arguments: object) -> None:
    services.delete_expired_idempotency_keys(now=timezone.now())
