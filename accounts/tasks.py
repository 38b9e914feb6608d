"""Housekeeping of accounts."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts import codes, services


@shared_task
def clean_up(**_newer_arguments: object) -> None:
    now = timezone.now()
    codes.delete_old_codes(now=now)
    services.delete_expired_tokens(now=now)
