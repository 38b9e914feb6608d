"""A session's page, its moving parts, and what can be asked of it while it is live."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from bots import queries as bots
from common.errors import Refusal
from dashboard import charts
from dashboard.access import UserRequest, page
from dashboard.forms import bot as bot_forms
from dashboard.reads import books, day
from dashboard.reads.books import Activity
from dashboard.reads.day import LogFilter
from dashboard.reads.overview import loss_bar
from marketdata import queries as market
from sessions import queries, services
from sessions.models import BotSession

STOP = "stop"
STOP_FLAT = "flatten"


@page()
def session_page(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    session = queries.session_of(request.user, bot_id, session_id)
    policy = session.policy
    context = {
        "section": "overview",
        "bot": bots.bot_of(owner=request.user, bot_id=bot_id),
        "policy_groups": bot_forms.policy_groups(policy) if policy else (),
        "is_streamed": session.settled_at is None,
        **_head(session),
        **_book(session),
        **_log(session, LogFilter.of(request.GET)),
    }
    return render(request, "dashboard/session.html", context)


@page()
def session_head(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    """Status and key figures."""
    session = queries.session_of(request.user, bot_id, session_id)
    return render(request, "dashboard/partials/session_head.html", _head(session))


@page()
def session_book(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    """Trades, orders, entries, positions: what moves with the market."""
    session = queries.session_of(request.user, bot_id, session_id)
    return render(request, "dashboard/partials/session_book.html", _book(session))


@page()
def session_log(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    """Decisions, events, transactions: what was written down."""
    session = queries.session_of(request.user, bot_id, session_id)
    context = _log(session, LogFilter.of(request.GET))
    return render(request, "dashboard/partials/session_log.html", context)


@page()
def line(request: UserRequest, bot_id: UUID, session_id: UUID) -> JsonResponse:
    """The P&L line; `?after=` a tick gives what came since, for a page that lost its stream."""
    session = queries.session_of(request.user, bot_id, session_id)
    return JsonResponse(charts.profit_line(session, after_seq=_after(request, -1)))


@page()
def spot(request: UserRequest, bot_id: UUID, session_id: UUID) -> JsonResponse:
    """The index below the P&L; `?after=` a Unix second gives what came since."""
    session = queries.session_of(request.user, bot_id, session_id)
    return JsonResponse(charts.spot_line(session, after_at=_after(request, 0)))


@page()
def marks(request: UserRequest, bot_id: UUID, session_id: UUID) -> JsonResponse:
    session = queries.session_of(request.user, bot_id, session_id)
    return JsonResponse(charts.marks(session))


@page("GET", "POST")
def stop_session(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    """Ask first what is to become of the positions."""
    session = queries.session_of(request.user, bot_id, session_id)
    context = _question(request, session)
    if request.method != "POST":
        return render(request, "dashboard/session_stop.html", context)
    flatten = request.POST.get("positions") == STOP_FLAT
    try:
        services.request_stop(
            user=request.user, session=session, flatten=flatten, now=market.market_now().at
        )
    except Refusal as refusal:
        context["problem"] = refusal.message
        return render(request, "dashboard/session_stop.html", context, status=refusal.status)
    then = "closes its positions and stops" if flatten else "stops"
    messages.success(request, f"The session {then} at its next tick.")
    return redirect("dashboard:session", bot_id=bot_id, session_id=session_id)


@page("GET", "POST")
def cancel_orders(request: UserRequest, bot_id: UUID, session_id: UUID) -> HttpResponse:
    session = queries.session_of(request.user, bot_id, session_id)
    context = _question(request, session)
    if request.method != "POST":
        return render(request, "dashboard/session_cancel.html", context)
    try:
        services.request_cancel_all(user=request.user, session=session, now=market.market_now().at)
    except Refusal as refusal:
        context["problem"] = refusal.message
        return render(request, "dashboard/session_cancel.html", context, status=refusal.status)
    messages.success(request, "The working orders are canceled at the next tick.")
    return redirect("dashboard:session", bot_id=bot_id, session_id=session_id)


def _after(request: UserRequest, default: int) -> int:
    after = request.GET.get("after", "")
    return int(after) if after.isascii() and after.isdigit() else default


def _head(session: BotSession) -> dict[str, Any]:
    point = books.latest_points([session]).get(session.pk)
    return {"session": session, "point": point, "loss_bar": loss_bar(session, point)}


def _book(session: BotSession) -> dict[str, Any]:
    trades = day.trades_of(session)
    orders = day.orders_of(session)
    return {
        "session": session,
        "open_trades": [trade for trade in trades if trade.row.status == "open"],
        "closed_trades": [trade for trade in trades if trade.row.status != "open"],
        "working_orders": [order for order in orders if order.row.status == "pending"],
        "past_orders": [order for order in orders if order.row.status != "pending"],
        "positions": day.positions_of(session),
        "entries": list(session.entries.order_by("number")),
    }


def _log(session: BotSession, wanted: LogFilter) -> dict[str, Any]:
    transactions = queries.transactions_of(session=session.pk).queryset().reverse()
    return {
        "session": session,
        "transactions": list(transactions[: day.ROWS_SHOWN]),
        "decisions": day.decisions_of(session, wanted),
        "events": day.events_of(session, wanted),
        "event_kinds": day.event_kinds_of(session),
        "log_filter": wanted,
    }


def _question(request: UserRequest, session: BotSession) -> dict[str, Any]:
    return {
        "section": "overview",
        "bot": bots.bot_of(owner=request.user, bot_id=session.bot_id),
        "session": session,
        "activity": books.activities([session]).get(session.pk, Activity()),
        "open_trades": [t for t in day.trades_of(session) if t.row.status == "open"],
    }
