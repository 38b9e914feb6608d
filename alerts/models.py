"""Where a user wants to be told of state changes, and every attempt to do so."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

URL_LENGTH = 500


class Kind(models.TextChoices):
    """What is told. State changes only: a quiet session says nothing."""

    STARTED = "started"
    FILLED = "filled"
    HALTED = "halted"
    FAILED = "failed"
    NOT_STARTED = "not_started", "did not start"


def every_kind() -> list[str]:
    return list(Kind.values)


def new_secret() -> str:
    return secrets.token_hex(32)


class ChannelQuerySet(models.QuerySet["Channel"]):
    def owned_by(self, user: Any) -> ChannelQuerySet:
        return self.filter(owner=user)


class Channel(models.Model):
    """One address: a webhook of the owner's, or his own e-mail address."""

    class Type(models.TextChoices):
        WEBHOOK = "webhook"
        EMAIL = "email", "e-mail"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_channels"
    )
    type = models.CharField(max_length=7, choices=Type)
    url = models.URLField(max_length=URL_LENGTH, blank=True, default="")  # of a webhook
    secret = models.CharField(max_length=64, default=new_secret)  # signs what a webhook gets
    kinds = ArrayField(models.CharField(max_length=11, choices=Kind), default=every_kind)
    since = models.DateTimeField()  # market time: what happened before is not told
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(type="email"), name="one_email_channel_per_owner"
            )
        ]

    def __str__(self) -> str:
        return self.url or "e-mail"


class Delivery(models.Model):
    """One event for one channel, tried until it is taken or given up."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()  # of the session's event, or of a test
    kind = models.CharField(max_length=11)
    body = models.JSONField()
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # the next attempt; null once it is over
    answer = models.CharField(max_length=200, blank=True, default="")  # what came of the last one
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["channel", "event_id"], name="event_told_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="due_deliveries", condition=Q(status="waiting")),
            models.Index(fields=["channel", "-created_at"], name="deliveries_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.channel_id}"
