"""Saved strategies: immutable, content-addressed programs and the links users hold to them.

Equal programs are one `Strategy` row, whoever saved them and however (contract.md section 3). What
a link says about its origin (form or program) stays on the link.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import User


class Strategy(models.Model):
    """An immutable program. A changed program is another row.

    The database sees to it (migration 0002): `source_hash` is the hash of `program`, and no row is
    ever updated.
    """

    source_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256 of `program`, hex
    program = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.source_hash[:12]


class StrategyLinkQuerySet(models.QuerySet["StrategyLink"]):
    def owned_by(self, user: User) -> StrategyLinkQuerySet:
        return self.filter(owner=user)

    def readable_by(self, user: User | AnonymousUser) -> StrategyLinkQuerySet:
        """One's own, and the public ones of everybody."""
        is_public = Q(privacy=StrategyLink.Privacy.PUBLIC)
        return self.filter(is_public | Q(owner=user) if isinstance(user, User) else is_public)


class StrategyLink(models.Model):
    """A user's saved strategy: the page's `strategy_id` is this row's id."""

    class Privacy(models.TextChoices):
        PRIVATE = "private"
        PUBLIC = "public"

    class Kind(models.TextChoices):
        FORM = "form"
        PROGRAM = "program"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="strategy_links"
    )
    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="links")
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True, default="")
    privacy = models.CharField(max_length=7, choices=Privacy.choices, default=Privacy.PRIVATE)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    config = models.JSONField(null=True, blank=True)  # the form as normalised; null for a program
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StrategyLinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at", "-id"], name="links_newest_first")]

    def __str__(self) -> str:
        return self.name
