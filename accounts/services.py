"""Registering, signing in and out, and changing what trading costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from knox.models import AuthToken

from accounts import codes, queries
from accounts.models import Scope, TokenDetails, User
from common import errors

USE_NOTED_EVERY = timedelta(minutes=1)


class WeakPassword(errors.InvalidInput):
    """The password fails a rule of AUTH_PASSWORD_VALIDATORS."""


class EmailTaken(errors.Conflict):
    code = "email_taken"


class WrongCredentials(errors.Unauthorized):
    """Unknown address, wrong password or an account switched off: one answer for all."""


@transaction.atomic
def create_token(
    *, user: User, name: str = "", scopes: Sequence[str] = (Scope.READ, Scope.TRADE)
) -> str:
    """A new token, 32 lower-case hex. Only its hash is kept: this is the one time it is seen."""
    row, token = AuthToken.objects.create(user=user)
    TokenDetails.objects.filter(token=row).update(name=name, scopes=list(scopes))
    return str(token)


def note_use(*, token: AuthToken, now: datetime) -> None:
    """Remember when a token was last used, to the minute; nothing is written in between."""
    last_used_at = token.details.last_used_at
    if last_used_at is None or last_used_at <= now - USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now)
        TokenDetails.objects.filter(stale, token=token).update(last_used_at=now)


def revoke_token(*, token: AuthToken) -> None:
    token.delete()


def revoke_all_tokens(*, users: QuerySet[User]) -> int:
    """Sign these users out everywhere; returns how many tokens that were."""
    return _delete_tokens(AuthToken.objects.filter(user__in=users))


def register(*, email: str, code: str, password: str, now: datetime) -> str:
    """A new user's first token. Raises as create_account."""
    return create_token(user=create_account(email=email, code=code, password=password, now=now))


def create_account(*, email: str, code: str, password: str, now: datetime) -> User:
    """A new user. WeakPassword, codes.InvalidCode, EmailTaken.

    Only who reads the mail of an address learns whether it has an account.
    """
    check_password_rules(password=password, email=email)
    codes.spend_try(email=email, code=code, now=now)
    if queries.user_by_email(email) is not None:
        raise _taken()
    try:
        with transaction.atomic():
            codes.use_code(email=email, code=code, now=now)
            return User.objects.create_user(email, password)
    except IntegrityError as exc:  # an operator just created the same address
        raise _taken() from exc


def _taken() -> EmailTaken:
    return EmailTaken("There already is an account with this address; sign in instead.")


def check_password_rules(*, password: str, email: str) -> None:
    try:
        validate_password(password, user=User(email=email))
    except ValidationError as exc:
        reason = exc.messages[0]
        raise WeakPassword(f"password: {reason}", fields={"password": exc.messages}) from exc


def sign_in(
    *,
    email: str,
    password: str,
    name: str = "",
    scopes: Sequence[str] = (Scope.READ, Scope.TRADE),
) -> str:
    """A new token. WrongCredentials takes the same time whether or not the address is known."""
    user = queries.user_by_email(email)
    if user is None:
        make_password(password)
    elif user.check_password(password) and user.is_active:
        return create_token(user=user, name=name, scopes=scopes)
    raise WrongCredentials("The e-mail address or the password is wrong.")


def update_user(*, user: User, changes: Mapping[str, int]) -> User:
    """Write the columns that were sent (cents); sessions that start afterwards use them."""
    for column, cents in changes.items():
        setattr(user, column, cents)
    user.save(update_fields=list(changes))
    return user


def delete_expired_tokens(*, now: datetime) -> int:
    """Forget tokens past their end; returns how many."""
    return _delete_tokens(AuthToken.objects.filter(expiry__lte=now))


def _delete_tokens(tokens: QuerySet[AuthToken]) -> int:
    _, per_model = tokens.delete()
    return int(per_model.get(AuthToken._meta.label, 0))
