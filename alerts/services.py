"""Channels and what is sent to them.

A delivery is claimed by moving its next attempt into the future, then sent outside of any
transaction: a process that dies in between costs a wait, and at worst the same delivery twice.
Webhooks tell such a repeat by the header `Zerohour-Delivery`.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction

from accounts.models import User
from alerts import outbound
from alerts.models import URL_LENGTH, Channel, Delivery, Kind
from common import errors
from common.times import rfc3339

# After these many seconds, in turn, a delivery that failed is tried again; then it is given up.
RETRY_AFTER_SECONDS = (10, 60, 300, 1_800, 7_200)
CLAIM = timedelta(minutes=2)  # longer than any attempt takes
CHANNELS_LIMIT = 10
PORTS_IN_URLS = range(1, 65_536)
TEST = "test"


class ChannelNotFound(errors.NotFound):
    """Does not exist, or is someone else's: the same words for both."""

    def __init__(self) -> None:
        super().__init__("You have no alert channel with this id.")


def add_channel(
    *, owner: User, channel_type: str, url: str = "", kinds: list[str], market_at: datetime
) -> Channel:
    """Told of what happens from now (market time) on. InvalidInput names the field."""
    problems: dict[str, list[str]] = {}
    if channel_type not in Channel.Type.values:
        problems["type"] = [f"must be one of {', '.join(Channel.Type.values)}"]
    if not kinds or set(kinds) - set(Kind.values):
        problems["kinds"] = [f"must be some of {', '.join(Kind.values)}"]
    if channel_type == Channel.Type.WEBHOOK and (why := _wrong_with(url)):
        problems["url"] = [why]
    if Channel.objects.owned_by(owner).count() >= CHANNELS_LIMIT:
        problems[""] = [f"You have {CHANNELS_LIMIT} channels, which is all there can be."]
    if problems:
        path, (why, *_) = next(iter(problems.items()))
        raise errors.InvalidInput(f"{path}: {why}." if path else why, fields=problems)
    address = url if channel_type == Channel.Type.WEBHOOK else ""
    ordered = [kind for kind in Kind.values if kind in kinds]
    try:
        with transaction.atomic():
            return Channel.objects.create(
                owner=owner, type=channel_type, url=address, kinds=ordered, since=market_at
            )
    except IntegrityError as error:
        if "one_email_channel_per_owner" not in str(error):
            raise
        why = "your e-mail address is told already"
        raise errors.InvalidInput(f"type: {why}.", fields={"type": [why]}) from None


def remove_channel(*, owner: User, channel_id: uuid.UUID) -> None:
    """With its log. Raises ChannelNotFound."""
    deleted, _ = Channel.objects.owned_by(owner).filter(pk=channel_id).delete()
    if not deleted:
        raise ChannelNotFound


def send_test(*, owner: User, channel_id: uuid.UUID, now: datetime) -> Delivery:
    """A delivery that says it is a test, due at once. Raises ChannelNotFound."""
    channel = Channel.objects.owned_by(owner).filter(pk=channel_id).first()
    if channel is None:
        raise ChannelNotFound
    body: dict[str, Any] = {
        "kind": TEST,
        "text": "A test from Zerohour: alerts reach you here.",
        "at": rfc3339(now),
        "bot": None,
        "session": None,
        "data": {},
    }
    return Delivery.objects.create(
        channel=channel, event_id=uuid.uuid4(), kind=TEST, body=body, due_at=now
    )


def try_again(*, owner: User, delivery_id: uuid.UUID, now: datetime) -> None:
    """A delivery that was given up is due again, with all its attempts. NotFound otherwise."""
    given_up = Delivery.objects.filter(
        pk=delivery_id, channel__owner=owner, status=Delivery.Status.FAILED
    )
    again = given_up.update(status=Delivery.Status.WAITING, attempts=0, due_at=now, ended_at=None)
    if not again:
        raise errors.NotFound("You have no failed delivery with this id.")


def deliver_due(*, now: datetime, at_most: int = 50) -> int:
    """Attempts what is due, oldest first; how many were attempted. Safe twice at once."""
    count = 0
    while count < at_most and (delivery := _claim_one(now)):
        _attempt(delivery, now)
        count += 1
    return count


def delete_old_deliveries(*, kept_days: int, now: datetime) -> int:
    """Forget what ended longer ago; how many."""
    deleted, _ = Delivery.objects.filter(ended_at__lt=now - timedelta(days=kept_days)).delete()
    return deleted


def signature(secret: str, body: bytes, *, at: datetime) -> str:
    """The header of a webhook: `t=<Unix seconds>,v1=<HMAC-SHA-256 of "t.body", hex>`."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"


def _wrong_with(url: str) -> str | None:
    """Why the address cannot be a webhook's, or None."""
    private = settings.ALERTS_TO_PRIVATE_ADDRESSES
    try:
        parts = urlsplit(url)
        port_is_wrong = parts.port is not None and parts.port not in PORTS_IN_URLS
    except ValueError:
        return "must be a web address"
    schemes = ("http", "https") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port_is_wrong:
        return f"must be a web address that begins with {' or '.join(schemes)}://"
    if parts.username or parts.password:
        return "must not contain a password; check the signature instead"
    if len(url) > URL_LENGTH:
        return f"must have at most {URL_LENGTH} characters"
    return None


@transaction.atomic
def _claim_one(now: datetime) -> Delivery | None:
    due = Delivery.objects.filter(status=Delivery.Status.WAITING, due_at__lte=now)
    rows = due.select_related("channel__owner").select_for_update(skip_locked=True, of=("self",))
    delivery = rows.order_by("due_at").first()
    if delivery is None:
        return None
    delivery.attempts += 1
    delivery.due_at = now + CLAIM
    delivery.save(update_fields=["attempts", "due_at"])
    return delivery


def _attempt(delivery: Delivery, now: datetime) -> None:
    try:
        answer = _send(delivery.channel, delivery, now)
    except outbound.NotReached as reason:
        _failed(delivery, str(reason), now)
    else:
        delivery.status, delivery.ended_at = Delivery.Status.DELIVERED, now
        _note(delivery, answer, due_at=None)


def _send(channel: Channel, delivery: Delivery, now: datetime) -> str:
    """What was answered. Raises NotReached."""
    if channel.type == Channel.Type.EMAIL:
        return _mail(channel.owner.email, delivery.body)
    body = orjson.dumps({"id": str(delivery.pk), **delivery.body})
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Zerohour",
        "Zerohour-Delivery": str(delivery.pk),
        "Zerohour-Signature": signature(channel.secret, body, at=now),
    }
    status, reason = outbound.post(
        channel.url,
        body=body,
        headers=headers,
        allow_private=settings.ALERTS_TO_PRIVATE_ADDRESSES,
    )
    if not 200 <= status < 300:
        raise outbound.NotReached(f"answered {status} {reason}".strip())
    return f"{status} {reason}".strip()


def _mail(address: str, body: dict[str, Any]) -> str:
    at, session = body["at"], body["session"]
    lines = [body["text"], "", f"Market time {at}"]
    lines += [f"Session {session['id']} of {session['date']}"] if session else []
    try:
        send_mail(body["text"], "\n".join(lines), None, [address])
    except (SMTPException, OSError) as error:
        raise outbound.NotReached(f"the mail was not taken: {error}") from error
    return "handed to the mail server"


def _failed(delivery: Delivery, reason: str, now: datetime) -> None:
    if delivery.attempts > len(RETRY_AFTER_SECONDS):
        delivery.status, delivery.ended_at = Delivery.Status.FAILED, now
        _note(delivery, reason, due_at=None)
        return
    wait = timedelta(seconds=RETRY_AFTER_SECONDS[delivery.attempts - 1])
    _note(delivery, reason, due_at=now + wait)


def _note(delivery: Delivery, answer: str, *, due_at: datetime | None) -> None:
    delivery.answer, delivery.due_at = answer[:200], due_at
    delivery.save(update_fields=["status", "ended_at", "answer", "due_at"])
