"""The books of sessions at their latest second: what live rows and key figures show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery

from common.times import to_ms
from sessions import financials
from sessions.models import BotSession, FinancialChunk, Order, Trade


@dataclass(frozen=True, slots=True)
class Point:
    """The last row of a session's line, in cents."""

    at_ms: int
    nlv_cents: int
    profit_loss_cents: int
    fees_cents: int
    buying_power_cents: int


@dataclass(frozen=True, slots=True)
class Activity:
    open_trades: int = 0
    working_orders: int = 0


def latest_points(sessions: Iterable[BotSession]) -> dict[UUID, Point]:
    """The latest second of each session that has one, from its own row: a settled one ended with
    its roll-up, a running one has its newest seconds there. Two queries for rows with neither.
    """
    sessions = list(sessions)
    points = {session.pk: point for session in sessions if (point := _final(session))}
    for session in sessions:
        if session.pk not in points and session.tail:
            points[session.pk] = _point(financials.tail_matrix(session.tail))
    open_ids = [session.pk for session in sessions if session.pk not in points]
    if not open_ids:
        return points
    newest = FinancialChunk.objects.filter(session=OuterRef("pk")).order_by("-first_seq")
    ids = BotSession.objects.filter(pk__in=open_ids).values_list(Subquery(newest.values("pk")[:1]))
    for chunk in FinancialChunk.objects.filter(pk__in=[row[0] for row in ids if row[0]]):
        points[chunk.session_id] = _point(financials.unpack(chunk.points))
    return points


def activities(sessions: Iterable[BotSession]) -> dict[UUID, Activity]:
    """Open trades and pending orders of each session; two queries however many there are."""
    ids = [session.pk for session in sessions]
    trades = _counts(Trade, ids, Q(status="open"))
    orders = _counts(Order, ids, Q(status="pending"))
    return {pk: Activity(trades.get(pk, 0), orders.get(pk, 0)) for pk in ids}


def loss_cap_cents(session: BotSession) -> int | None:
    """The loss at which the session halts (domain.md section 6); None before its policy froze."""
    if session.policy is None or not session.opening_balance_cents:
        return None
    return int(Decimal(session.policy["max_daily_loss_pct"]) * session.opening_balance_cents)


def _counts(model: type[Trade | Order], ids: list[UUID], which: Q) -> dict[UUID, int]:
    rows = model._default_manager.filter(which, session_id__in=ids).order_by()
    return dict(rows.values_list("session_id").annotate(count=Count("pk")))


def _point(line: financials.Matrix) -> Point:
    row = dict(zip(financials.COLUMNS, line[-1].tolist(), strict=True))
    return Point(
        at_ms=row["at_ms"],
        nlv_cents=row["net_liquidation_value"],
        profit_loss_cents=row["profit_loss"],
        fees_cents=row["fees"],
        buying_power_cents=row["available_buying_power"],
    )


def _final(session: BotSession) -> Point | None:
    if session.final_nlv_cents is None or session.total_pl_cents is None:
        return None
    return Point(
        at_ms=to_ms(session.settled_at or session.created_at),
        nlv_cents=session.final_nlv_cents,
        profit_loss_cents=session.total_pl_cents,
        fees_cents=session.total_fees_cents or 0,
        buying_power_cents=session.final_nlv_cents,
    )
