"""Users and what trading costs them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from knox.models import AuthToken

from accounts.models import TokenDetails, User
from common import errors
from common.money import hundredths


class TokenNotFound(errors.NotFound):
    """Does not exist, or is someone else's: the same words for both."""

    def __init__(self) -> None:
        super().__init__("You have no token with this id.")


def user_by_email(email: str) -> User | None:
    """The user of an address, however it is capitalised."""
    return User.objects.filter(email=email.strip().lower()).first()


def tokens_of(user: User) -> QuerySet[TokenDetails]:
    """The user's tokens that still open something, newest first."""
    rows = TokenDetails.objects.filter(token__user=user).select_related("token")
    return rows.exclude(token__expiry__lte=timezone.now()).order_by("-token__created", "pk")


def token_of(user: User, token_id: UUID) -> AuthToken:
    """The user's own token. TokenNotFound."""
    details = tokens_of(user).filter(pk=token_id).first()
    if details is None:
        raise TokenNotFound
    return details.token


def fee_schedule_object(
    *, open_cents: int, close_cents: int, exercise_cents: int
) -> dict[str, str]:
    """The API's fee schedule: dollars, always with two decimals (contract.md section 2)."""
    return {
        "open": hundredths(open_cents),
        "close": hundredths(close_cents),
        "exercise": hundredths(exercise_cents),
    }
