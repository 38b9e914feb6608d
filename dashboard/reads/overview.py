"""All bots at a glance: one row each, and their sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from accounts.models import User
from bots import queries as bots
from bots.models import Bot
from bots.queries import BotView
from dashboard.reads import books
from dashboard.reads.books import Activity, Point
from dashboard.sparkline import Sparkline, sparkline
from marketdata import queries as market
from marketdata.queries import MarketNow
from sessions import financials
from sessions.models import BotSession

SPARKLINE_POINTS = 60
PROFIT_LOSS = financials.COLUMNS.index("profit_loss")


@dataclass(frozen=True, slots=True)
class LossBar:
    """How much of the daily loss cap is used. A profit uses none of it."""

    loss_cents: int
    cap_cents: int

    @property
    def used_pct(self) -> int:
        return min(100, 100 * self.loss_cents // self.cap_cents)

    @property
    def is_close(self) -> bool:
        return self.used_pct >= 75


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot and its live session, or the one of the market's current day that has ended."""

    bot: Bot
    runtime_status: str
    session: BotSession | None
    is_live: bool
    profit_loss_cents: int | None
    nlv_cents: int
    activity: Activity
    loss_bar: LossBar | None
    sparkline: Sparkline | None
    next_start_at: datetime | None
    tick_age: timedelta | None  # market time since the session's last tick; None once it has ended

    @property
    def is_archived(self) -> bool:
        return self.bot.status == Bot.Status.ARCHIVED

    @property
    def last_tick_at(self) -> datetime | None:
        return self.session.last_tick_at if self.session else None


@dataclass(frozen=True, slots=True)
class Totals:
    profit_loss_cents: int
    nlv_cents: int
    live: int
    open_trades: int
    working_orders: int


@dataclass(frozen=True, slots=True)
class Overview:
    rows: list[BotRow]
    totals: Totals
    archived_count: int


def overview(*, owner: User, archived: bool) -> Overview:
    """The owner's active bots, or the archived ones; a constant number of queries."""
    wanted = Bot.Status.ARCHIVED if archived else Bot.Status.IDLE
    now = market.market_now()
    views = bots.views(bots.bots_of(owner=owner, status=wanted))
    todays = {view.bot.pk: session for view in views if (session := _todays(view, now))}
    points = books.latest_points(todays.values())
    activities = books.activities(todays.values())
    lines = _sparklines(todays.values())
    rows = []
    for view in views:
        session = todays.get(view.bot.pk)
        rows.append(
            _row(
                view,
                session,
                points.get(session.pk) if session else None,
                activities[session.pk] if session else Activity(),
                lines.get(session.pk) if session else None,
                bots.next_start_at(view, now),
                _tick_age(view.active_session, now),
            )
        )
    return Overview(
        rows=rows,
        totals=_totals(rows),
        archived_count=bots.bots_of(owner=owner, status=Bot.Status.ARCHIVED).count(),
    )


def _todays(view: BotView, now: MarketNow) -> BotSession | None:
    """The live session, of whatever day, or the one of today that has ended."""
    last = view.last_session
    if view.active_session is not None:
        return view.active_session
    return last if last is not None and last.trading_date == now.trading_date else None


def _row(
    view: BotView,
    session: BotSession | None,
    point: Point | None,
    activity: Activity,
    line: Sparkline | None,
    next_start_at: datetime | None,
    tick_age: timedelta | None,
) -> BotRow:
    profit_loss_cents = point.profit_loss_cents if point else None
    nlv_cents = point.nlv_cents if point else view.bot.cash_balance_cents
    return BotRow(
        bot=view.bot,
        runtime_status=view.runtime_status,
        session=session,
        is_live=view.active_session is not None,
        profit_loss_cents=profit_loss_cents,
        nlv_cents=nlv_cents,
        activity=activity,
        loss_bar=loss_bar(session, point),
        sparkline=line,
        next_start_at=next_start_at,
        tick_age=tick_age,
    )


def _tick_age(session: BotSession | None, now: MarketNow) -> timedelta | None:
    if session is None or session.last_tick_at is None:
        return None
    return max(timedelta(), now.at - session.last_tick_at)


def _sparklines(sessions: Iterable[BotSession]) -> dict[UUID, Sparkline]:
    """Of the sessions that have a line; one query for all the live ones. A settled one does not
    change any more, so it is drawn once.
    """
    drawn: dict[UUID, Sparkline | None] = {}
    last_seqs = {}
    for session in sessions:
        if session.settled_at is not None:
            drawn[session.pk] = _settled_sparkline(session.pk, session.last_tick_seq)
        elif session.last_tick_seq:
            last_seqs[session.pk] = session.last_tick_seq
    drawn |= _drawn(last_seqs)
    return {pk: line for pk, line in drawn.items() if line is not None}


@lru_cache(maxsize=4096)
def _settled_sparkline(session_id: UUID, last_seq: int) -> Sparkline | None:
    return _drawn({session_id: last_seq}).get(session_id)


def _drawn(last_seqs: dict[UUID, int]) -> dict[UUID, Sparkline | None]:
    if not last_seqs:
        return {}
    lines = financials.sampled(last_seqs, SPARKLINE_POINTS)
    return {pk: sparkline(line[:, PROFIT_LOSS].tolist()) for pk, line in lines.items()}


def loss_bar(session: BotSession | None, point: Point | None) -> LossBar | None:
    """None where there is no cap yet, or no second to hold against it."""
    cap_cents = books.loss_cap_cents(session) if session else None
    if not cap_cents or point is None:
        return None
    return LossBar(loss_cents=max(0, -point.profit_loss_cents), cap_cents=cap_cents)


def _totals(rows: list[BotRow]) -> Totals:
    return Totals(
        profit_loss_cents=sum(row.profit_loss_cents or 0 for row in rows),
        nlv_cents=sum(row.nlv_cents for row in rows),
        live=sum(row.is_live for row in rows),
        open_trades=sum(row.activity.open_trades for row in rows),
        working_orders=sum(row.activity.working_orders for row in rows),
    )
