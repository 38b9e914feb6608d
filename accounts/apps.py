from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save


class AccountsConfig(AppConfig):
    """Users and their tokens."""

    name = "accounts"

    def ready(self) -> None:
        post_save.connect(_describe_token, sender="knox.AuthToken")


def _describe_token(*, instance: Any, created: bool, raw: bool, **_more: Any) -> None:
    """Every token has its details, whoever made it."""
    from accounts.models import TokenDetails  # noqa: PLC0415  models are there only now

    if created and not raw:
        TokenDetails.objects.create(token=instance)
