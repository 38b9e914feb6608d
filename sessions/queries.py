"""Sessions and what is written below them, as rows for the API and the dashboard."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.apps import apps
from django.db.models import Model, QuerySet

from common import errors
from common.prepared import Prepared
from marketdata import queries as market
from marketdata import ticklog
from sessions.models import BotSession, Decision, Entry, Order, Position, SessionEvent, Transaction
from simengine.market import Contract, parse_symbol

NEWEST_SESSIONS = 90

Row = TypeVar("Row", bound=Model)
Mark = tuple[int, int]  # the mid per share in half-cents, delta × 10000


class BotNotFound(errors.NotFound):
    """Does not exist, or is someone else's: the same words for both."""

    def __init__(self) -> None:
        super().__init__("You have no bot with this id.")


class SessionNotFound(errors.NotFound):
    """Not below this bot, or someone else's: the same words, whichever of the two ids is wrong."""

    def __init__(self) -> None:
        super().__init__("You have no session with this id below a bot with that id.")


def session_of(user: Any, bot_id: uuid.UUID, session_id: uuid.UUID) -> BotSession:
    session = _session(user=user.pk, bot=bot_id, session=session_id).first()
    if session is None:
        raise SessionNotFound
    return session


@Prepared
def _session(user: Any, bot: uuid.UUID, session: uuid.UUID) -> QuerySet[BotSession]:
    return BotSession.objects.owned_by(user).filter(bot_id=bot, pk=session).defer("state")


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


def _below(model: type[Row], *order: str) -> Prepared[Row]:
    """What stands below a session, whose id is given as `session`, in this order."""

    def rows(session: uuid.UUID) -> QuerySet[Row]:
        return model._default_manager.filter(session=session).order_by(*order)

    return Prepared(rows)


# Positions by their contracts, the rest in the order it was written.
orders_of = _below(Order, "number")
transactions_of = _below(Transaction, "number")
decisions_of = _below(Decision, "number")
events_of = _below(SessionEvent, "tick_seq", "index")
entries_of = _below(Entry, "number")
_positions_of = _below(Position, "instrument")


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    position: Position
    mark_half_cents: int | None  # the mid per share
    delta_e4: int | None


def marked_positions(session: BotSession) -> list[MarkedPosition]:
    """Positions against the latest tick; what cannot be priced keeps the session's last mark."""
    positions = _positions_of(session=session.pk).rows()
    marks = _latest_marks(session, positions)
    if len(marks) < len(positions):
        marks = _kept_marks(session) | marks
    nothing = (None, None)
    return [MarkedPosition(row, *marks.get(row.instrument, nothing)) for row in positions]


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


def _latest_marks(session: BotSession, positions: Iterable[Position]) -> dict[str, Mark]:
    """Of what is held and quoted on both sides at the latest tick of a session that goes on."""
    held = [row.instrument for row in positions if row.quantity]
    if session.settled_at is not None or not held:
        return {}
    tick = ticklog.last_tick(session.trading_date)
    if tick is None:
        return {}
    quotes = {name: tick.quote(parse_symbol(name)[1]) for name in held}
    return {
        name: (quote.bid_cents + quote.ask_cents, quote.delta_e4)
        for name, quote in quotes.items()
        if quote.is_two_sided
    }


def _kept_marks(session: BotSession) -> dict[str, Mark]:
    """The session's own, as of its last snapshot."""
    state = BotSession.objects.values_list("state", flat=True).get(pk=session.pk)
    return dict(_marks_in(state, session.trading_date)) if state else {}


def _marks_in(state: dict[str, Any], expiry: date) -> Iterable[tuple[str, Mark]]:
    for raw in state["portfolio"]["positions"]:
        symbol = Contract(*raw["contract"]).symbol(expiry)
        yield symbol, (raw["mark_half_cents"], raw["delta_e4"])
