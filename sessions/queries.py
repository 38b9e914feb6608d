"""Sessions and what is written below them, as rows for the API and the dashboard."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from common import errors
from marketdata import queries as market
from marketdata import ticklog
from sessions.models import BotSession, Order, Position, Transaction
from simengine.market import Contract, parse_symbol

NEWEST_SESSIONS = 90


class BotNotFound(errors.NotFound):
    """Does not exist, or is someone else's: the same words for both."""

    def __init__(self) -> None:
        super().__init__("You have no bot with this id.")


class SessionNotFound(errors.NotFound):
    """Not below this bot, or someone else's: the same words, whichever of the two ids is wrong."""

    def __init__(self) -> None:
        super().__init__("You have no session with this id below a bot with that id.")


def session_of(user: Any, bot_id: uuid.UUID, session_id: uuid.UUID) -> BotSession:
    session = (
        BotSession.objects.owned_by(user)
        .filter(bot_id=bot_id, pk=session_id)
        .defer("state")
        .first()
    )
    if session is None:
        raise SessionNotFound
    return session


def sessions_of(bot_id: uuid.UUID) -> QuerySet[BotSession]:
    """The newest 90 of a bot, newest first. Check the bot's owner before."""
    rows = BotSession.objects.filter(bot_id=bot_id).defer("state")
    return rows.order_by("-trading_date", "-created_at")[:NEWEST_SESSIONS]


def live_session(bot_id: uuid.UUID) -> BotSession | None:
    return BotSession.objects.live().filter(bot_id=bot_id).defer("state").first()


def check_bot(user: Any, bot_id: uuid.UUID) -> None:
    """Raises BotNotFound unless the bot exists and is the user's."""
    if not apps.get_model("bots", "Bot").objects.filter(owner=user, pk=bot_id).exists():
        raise BotNotFound


def orders_of(session: BotSession, *, status: str | None = None) -> QuerySet[Order]:
    rows = session.orders.order_by("number")
    return rows if status is None else rows.filter(status=status)


def transactions_of(session: BotSession) -> QuerySet[Transaction]:
    return session.transactions.order_by("number")


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    position: Position
    mark_half_cents: int | None  # the mid per share
    delta_e4: int | None


def marked_positions(session: BotSession) -> list[MarkedPosition]:
    """Positions against the latest tick; what cannot be priced keeps the session's last mark."""
    positions = list(session.positions.order_by("instrument"))
    tick = ticklog.last_tick(session.trading_date) if session.settled_at is None else None
    kept = _kept_marks(session) if positions else {}
    marked = []
    for position in positions:
        mark, delta = kept.get(position.instrument, (None, None))
        if tick is not None and position.quantity:
            quote = tick.quote(parse_symbol(position.instrument)[1])
            if quote.is_two_sided:
                mark, delta = quote.bid_cents + quote.ask_cents, quote.delta_e4
        marked.append(MarkedPosition(position, mark, delta))
    return marked


def day_report(trading_date: date) -> list[BotSession]:
    """Every session of a day with its bot, in the order they were made."""
    rows = BotSession.objects.filter(trading_date=trading_date).select_related("bot")
    return list(rows.defer("state").order_by("created_at", "pk"))


def is_day_over(trading_date: date) -> bool:
    """The market closed that day, its settlement is known and no session is left unsettled."""
    day = market.day(trading_date)
    if day is None or day.status != day.Status.CLOSED or day.settlement_cents is None:
        return False
    return not BotSession.objects.unfinished().filter(trading_date=trading_date).exists()


def _kept_marks(session: BotSession) -> dict[str, tuple[int, int]]:
    state = BotSession.objects.values_list("state", flat=True).get(pk=session.pk)
    return dict(_marks_in(state, session.trading_date)) if state else {}


def _marks_in(state: dict[str, Any], expiry: date) -> Iterable[tuple[str, tuple[int, int]]]:
    for raw in state["portfolio"]["positions"]:
        symbol = Contract(*raw["contract"]).symbol(expiry)
        yield symbol, (raw["mark_half_cents"], raw["delta_e4"])
