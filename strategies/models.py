"""Saved strategies: immutable, content-addressed programs and the links users hold to them.

Equal programs are one `Strategy` row, whoever saved them and however (contract.md section 3). What a
link says about its origin (form or program) stays on the link.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Strategy(models.Model):
    """An immutable program. Never updated; a changed program is another row."""

    source_hash = models.CharField(max_length=64, primary_key=True)  # SHA-256 of `program`, hex
    program = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.source_hash[:12]


class StrategyLinkQuerySet(models.QuerySet["StrategyLink"]):
    def owned_by(self, user: object) -> StrategyLinkQuerySet:
        return self.filter(owner=user)


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

    def __str__(self) -> str:
        return self.name
