"""Verification codes by e-mail (contract.md section 2).

Six digits, valid 15 minutes, good for one use, dead after 5 wrong tries, at most one a minute per
address. Nothing here tells whether the address has an account.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import EmailCode
from common import errors

LIFETIME = timedelta(minutes=15)
INTERVAL = timedelta(minutes=1)
MAX_TRIES = 5

SUBJECT = "Your Zerohour verification code"
TEXT = """Your verification code is {code}.

It is valid for 15 minutes and can be used once. If you did not ask for it, ignore this message.
"""


class CodeTooSoon(errors.TooManyRequests):
    """The address was sent a code less than a minute ago."""


class InvalidCode(errors.InvalidInput):
    code = "invalid_verification_code"


class MailUnavailable(errors.Unavailable):
    code = "mail_unavailable"


def new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def send_code(*, email: str, now: datetime, make_code: Callable[[], str] = new_code) -> None:
    """Replace the address's code by a new one and send it. CodeTooSoon, MailUnavailable."""
    code = make_code()
    with transaction.atomic():
        values = {"code_hash": _hash(email, code), "sent_at": now}
        row, is_first = EmailCode.objects.select_for_update().get_or_create(
            email=email, defaults=values
        )
        if not is_first:
            _check_interval(row, now=now)
            EmailCode.objects.filter(pk=row.pk).update(**values, tries=0, used_at=None)
    try:
        send_mail(SUBJECT, TEXT.format(code=code), None, [email])
    except OSError as exc:  # SMTPException is one
        EmailCode.objects.filter(pk=row.pk, sent_at=now).delete()
        raise MailUnavailable("The e-mail could not be sent; try again.") from exc


def _check_interval(row: EmailCode, *, now: datetime) -> None:
    left = row.sent_at + INTERVAL - now
    if left > timedelta(0):
        seconds = math.ceil(left.total_seconds())
        raise CodeTooSoon(
            f"A code was sent to this address less than a minute ago; try again in {seconds} s.",
            retry_after_seconds=seconds,
        )


def spend_try(*, email: str, code: str, now: datetime) -> None:
    """Count a try and compare. InvalidCode if the code is wrong, old, used or locked.

    The try is counted before the comparison, in a statement of its own, so parallel guesses get no
    more than five together. Call it outside a transaction, or a refusal gives the try back.
    """
    live = EmailCode.objects.filter(email=email, used_at=None, sent_at__gt=now - LIFETIME)
    if live.filter(tries__lt=MAX_TRIES).update(tries=F("tries") + 1) != 1:
        raise _refusal()
    row = live.filter(code_hash=_hash(email, code)).first()
    if row is None or not constant_time_compare(row.code_hash, _hash(email, code)):
        raise _refusal()


def use_code(*, email: str, code: str, now: datetime) -> None:
    """Spend the code in the transaction of what it allows. InvalidCode if another was faster."""
    used = EmailCode.objects.filter(
        email=email, code_hash=_hash(email, code), used_at=None, sent_at__gt=now - LIFETIME
    ).update(used_at=now)
    if used != 1:
        raise _refusal()


def delete_old_codes(*, now: datetime) -> int:
    """Forget codes that can no longer be used; returns how many."""
    deleted, _ = EmailCode.objects.filter(sent_at__lte=now - LIFETIME).delete()
    return deleted


def _hash(email: str, code: str) -> str:
    """Keyed with SECRET_KEY."""
    return salted_hmac("accounts.email_code", f"{email}:{code}", algorithm="sha256").hexdigest()


def _refusal() -> InvalidCode:
    reason = "is wrong, older than 15 minutes, used, or was tried 5 times; ask for a new one"
    return InvalidCode(f"The verification code {reason}.", fields={"verification_code": [reason]})
