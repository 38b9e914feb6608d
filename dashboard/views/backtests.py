"""A strategy over recorded days: asked for on its page, watched there, taken away as a file."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from backtests import queries, services
from common.errors import Refusal
from dashboard.access import UserRequest, page
from dashboard.exports import backtest_csv
from dashboard.forms import backtest as backtest_forms
from dashboard.reads.backtests import equity_line
from dashboard.views.strategies import show_strategy
from strategies import queries as strategy_queries


@page("POST")
def start_backtest(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    """One's own strategy, or anybody's public one."""
    link = strategy_queries.readable_link(request.user, strategy_id)
    values = backtest_forms.sent_values(request.POST)
    try:
        wishes = backtest_forms.wishes_of(request.user, values)
        services.start(owner=request.user, link=link, **wishes)
    except Refusal as refusal:
        return show_strategy(request, link, refusal)
    return _to_page(link.pk)


@page("POST")
def cancel(request: UserRequest, backtest_id: UUID) -> HttpResponse:
    backtest = queries.backtest_of(request.user, backtest_id)
    if services.cancel(backtest=backtest, now=timezone.now()):
        messages.success(request, "The backtest is canceled; the days it has finished stay.")
    return _to_page(backtest.strategy_link_id)


@page()
def report(request: UserRequest, backtest_id: UUID) -> HttpResponse:
    """The part of a strategy's page that follows a backtest while it runs. When it has ended the
    whole page is read again: it has a chart then, and the next one can be asked for.
    """
    backtest = queries.backtest_of(request.user, backtest_id)
    if not backtest.is_live:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"report": queries.report(backtest)}
    return render(request, "dashboard/partials/backtest.html", context)


@page()
def equity(request: UserRequest, backtest_id: UUID) -> HttpResponse:
    backtest = queries.backtest_of(request.user, backtest_id)
    return JsonResponse(equity_line(queries.report(backtest)))


@page()
def days_csv(request: UserRequest, backtest_id: UUID) -> HttpResponse:
    backtest = queries.backtest_of(request.user, backtest_id)
    text = backtest_csv(queries.report(backtest).days)
    name = f"backtest-{backtest.strategy_id[:12]}-{backtest.created_at:%Y%m%d-%H%M%S}.csv"
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _to_page(strategy_link_id: UUID | None) -> HttpResponse:
    if strategy_link_id is None:  # deleted meanwhile
        return redirect("dashboard:strategies")
    return redirect(f"{reverse('dashboard:strategy', args=[strategy_link_id])}#backtest")
