"""What is known about bots. Every read takes a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import Exists, Func, OuterRef, Q, QuerySet, Subquery, UUIDField

from accounts.models import User
from bots.linter import SettingWarning, warnings_of
from bots.models import Bot, every_weekday
from bots.summary import Day, Summary, summarise
from common.prepared import IsAnyOf, Prepared
from marketdata import calendar
from marketdata.models import MarketDay
from marketdata.queries import MarketNow
from sessions.lifecycle import LIVE, Status
from sessions.models import BotSession
from sessions.queries import BotNotFound
from simengine.policy import Policy

SESSIONS_SHOWN = 90
RUNNING = "running"


@dataclass(frozen=True, slots=True)
class BotView:
    """A bot with the two sessions its object shows: the live one, and the latest that has ended."""

    bot: Bot
    active_session: BotSession | None
    last_session: BotSession | None

    @property
    def runtime_status(self) -> str:
        """What the current or last session is doing (contract.md section 4)."""
        if self.bot.status == Bot.Status.ARCHIVED:
            return Bot.Status.ARCHIVED.value
        if self.active_session is not None:
            is_scheduled = self.active_session.status == Status.SCHEDULED
            return Status.SCHEDULED.value if is_scheduled else RUNNING
        return self.last_session.status if self.last_session else Bot.Status.IDLE.value


def bot_of(*, owner: User, bot_id: UUID) -> Bot:
    """The owner's bot, or BotNotFound."""
    bot = _bot(owner=owner.pk, bot=bot_id).first()
    if bot is None:
        raise BotNotFound
    return bot


@Prepared
def _bot(owner: Any, bot: UUID) -> QuerySet[Bot]:
    return Bot.objects.owned_by(owner).filter(pk=bot)


def bots_of(
    *, owner: User, strategy_id: UUID | None = None, status: str | None = None
) -> QuerySet[Bot]:
    """The owner's bots, newest first, archived ones included unless `status` says otherwise."""
    bots = all_bots(owner=owner.pk).queryset()
    if strategy_id is not None:
        bots = bots.filter(strategy_link_id=strategy_id)
    return bots if status is None else bots.filter(status=status)


@Prepared
def all_bots(owner: UUID) -> QuerySet[Bot]:
    """Of the user with this id, newest first."""
    return Bot.objects.owned_by(owner).order_by("-created_at", "-pk")


def views(bots: Iterable[Bot]) -> list[BotView]:
    """The bots with their sessions, in the order given; one query however many they are."""
    bots = list(bots)
    return _views(bots, _latest(bots=[bot.pk for bot in bots]).rows()) if bots else []


def view(bot: Bot) -> BotView:
    return _views([bot], _latest(bots=[bot.pk]).rows())[0]


def _views(bots: Iterable[Bot], latest: Iterable[BotSession]) -> list[BotView]:
    found = {(session.bot_id, session.status in LIVE): session for session in latest}
    return [BotView(bot, found.get((bot.pk, True)), found.get((bot.pk, False))) for bot in bots]


@Prepared
def _latest(bots: list[UUID]) -> QuerySet[BotSession]:
    """Of each bot the session that lives and the latest that does not.

    Two looks into an index for each bot, however many days it has behind it.
    """
    of_bot = BotSession.objects.filter(bot=OuterRef("pk")).values("pk")
    is_live = Q(status__in=sorted(LIVE))
    ended = of_bot.exclude(is_live).order_by("-trading_date")
    both = _Each(Subquery(of_bot.filter(is_live)[:1]), Subquery(ended[:1]))
    chosen = Bot.objects.filter(IsAnyOf("pk", bots)).annotate(session=both).values("session")
    return BotSession.objects.filter(pk__in=chosen).defer("state")


class _Each(Func):
    """Several values as rows."""

    template = "unnest(ARRAY[%(expressions)s])"
    set_returning = True
    output_field = UUIDField()


def recent_sessions(bot: Bot) -> list[BotSession]:
    """Newest first, at most 90."""
    return _newest(bot=bot.pk).rows(at_most=SESSIONS_SHOWN)


@Prepared
def _newest(bot: UUID) -> QuerySet[BotSession]:
    return BotSession.objects.filter(bot_id=bot).defer("state").order_by("-trading_date")


def all_sessions(bot: Bot) -> QuerySet[BotSession]:
    """Oldest first."""
    return BotSession.objects.filter(bot=bot).defer("state").order_by("trading_date")


def warnings(bot: Bot) -> list[SettingWarning]:
    """About the settings the next session would freeze."""
    link = bot.strategy_link
    return warnings_of(
        policy=Policy.from_json(bot.policy),
        balance_cents=bot.cash_balance_cents,
        slippage_cents=bot.owner.slippage_cents,
        config=link.config if link else None,
    )


def summary(bot: Bot) -> Summary:
    """The roll-up of the settled sessions."""
    rows = _rolled_up(bot=bot.pk).rows()
    days = ((row.trading_date, row.opening_balance_cents, row.total_pl_cents) for row in rows)
    # The query leaves no null.
    return summarise([Day(*day) for day in cast(Iterable[tuple[date, int, int]], days)])


@Prepared
def _rolled_up(bot: UUID) -> QuerySet[BotSession]:
    has_both = Q(total_pl_cents__isnull=False, opening_balance_cents__isnull=False)
    settled = BotSession.objects.settled().filter(has_both, bot_id=bot).order_by("trading_date")
    return settled.only("trading_date", "opening_balance_cents", "total_pl_cents")


def due_for_auto_start(day: MarketDay) -> QuerySet[Bot]:
    """Bots that start by themselves on `day` and have no session there yet.

    A bot whose auto_start was switched on after the day's first tick waits for the next day; a
    closed day starts nobody.
    """
    bots = Bot.objects.active().filter(
        auto_start=True,
        owner__is_active=True,
        weekdays__contains=[every_weekday()[day.trading_date.weekday()]],
    )
    if day.status == MarketDay.Status.CLOSED:
        return bots.none()
    if day.opened_at is not None:
        bots = bots.filter(auto_start_since__lte=day.opened_at)
    todays = BotSession.objects.filter(bot=OuterRef("pk"), trading_date=day.trading_date)
    return bots.exclude(Exists(todays)).order_by("pk")


def next_start_at(view: BotView, now: MarketNow) -> datetime | None:
    """The open at which a bot starts by itself next; None where it does not."""
    bot = view.bot
    if not bot.auto_start or bot.status == Bot.Status.ARCHIVED or not bot.weekdays:
        return None
    day = now.trading_date or now.at.date()
    try:
        while True:
            hours = calendar.hours(day)
            is_wanted = hours and every_weekday()[day.weekday()] in bot.weekdays
            if hours and is_wanted and now.at < hours[0]:
                return hours[0]
            day = calendar.next_trading_day(day)
    except calendar.OutsideCalendar:
        return None
