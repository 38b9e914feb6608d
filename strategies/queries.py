"""Reading strategies. Ownership is the first filter; what is not yours does not exist."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from common.errors import NotFound, Unauthorized
from strategies.models import StrategyLink

NO_SUCH_STRATEGY = "You have no saved strategy with this id."


def links_of(user: User) -> QuerySet[StrategyLink]:
    return StrategyLink.objects.owned_by(user).select_related("strategy")


def link_of(user: User, link_id: UUID) -> StrategyLink:
    """The user's own link. Raises NotFound."""
    link = links_of(user).filter(pk=link_id).first()
    if link is None:
        raise NotFound(NO_SUCH_STRATEGY)
    return link


def readable_link(user: User | AnonymousUser, link_id: UUID) -> StrategyLink:
    """One's own link or anybody's public one.

    Raises Unauthorized without a token, so that nothing private can be guessed at; else NotFound.
    """
    links = StrategyLink.objects.readable_by(user).select_related("strategy")
    link = links.filter(pk=link_id).first()
    if link is not None:
        return link
    if not user.is_authenticated:
        raise Unauthorized("Send your token; without one only public strategies can be read.")
    raise NotFound(NO_SUCH_STRATEGY)
