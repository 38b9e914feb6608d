"""Housekeeping of accounts."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import codes, services
from common.jobs import job


@job
def clean_up() -> str | None:
    now = timezone.now()
    old_codes = codes.delete_old_codes(now=now)
    tokens = services.delete_expired_tokens(now=now)
    logins, _ = Session.objects.filter(expire_date__lt=now).delete()
    if not (old_codes or tokens or logins):
        return None
    return f"forgot {old_codes} codes, {tokens} tokens and {logins} log-ins"
