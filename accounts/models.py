"""Users, by e-mail address, and what trading costs them.

Money is integer cents. Fees are per contract and leg; exercise is per instrument settling in the
money (domain.md section 4). A session copies them when it starts: a change is for later sessions.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The log-in forms' look-up: capitals make no difference."""
        return self.get(email=(username or "").strip().lower())

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    open_fee_cents = models.PositiveIntegerField(default=172)
    close_fee_cents = models.PositiveIntegerField(default=72)
    exercise_fee_cents = models.PositiveIntegerField(default=500)
    slippage_cents = models.PositiveIntegerField(default=5)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ignores_case")]

    def __str__(self) -> str:
        return self.email


class Scope(models.TextChoices):
    READ = "read"
    TRADE = "trade"  # every write, not only orders


def every_scope() -> list[str]:
    return list(Scope.values)


class TokenDetails(models.Model):
    """What a client sees of a token. Knox keeps its hash, its user and its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.OneToOneField("knox.AuthToken", on_delete=models.CASCADE, related_name="details")
    name = models.CharField(max_length=80, blank=True, default="")
    scopes = ArrayField(models.CharField(max_length=5, choices=Scope), default=every_scope)
    last_used_at = models.DateTimeField(null=True, blank=True)  # written at most once a minute

    def __str__(self) -> str:
        return self.name or str(self.pk)


class EmailCode(models.Model):
    """The latest verification code of an address: one row each, a new code replaces the old one."""

    email = models.EmailField(unique=True)  # lower case
    code_hash = models.CharField(max_length=64)  # keyed: a bare hash of six digits hides nothing
    sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email
