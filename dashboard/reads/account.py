"""The tokens of a user."""

from __future__ import annotations

from typing import Any

from knox.models import AuthToken

from accounts.models import User


def tokens_of(user: User) -> Any:
    """Newest first: a queryset of knox tokens, whose text nobody knows any more."""
    return AuthToken.objects.filter(user=user).order_by("-created")
