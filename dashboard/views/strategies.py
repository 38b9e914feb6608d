"""Saved strategies: the list, one of them, a new one, and what can be done to one's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from common.errors import Refusal
from dashboard.access import UserRequest, page
from dashboard.forms import strategy as strategy_forms
from dashboard.forms.builder import BALANCE
from dashboard.forms.strategy import BUILDER, FORM, KINDS, PROGRAM
from dashboard.reads.backtests import backtests_of
from dashboard.reads.trial import Trial, try_out
from strategies import queries, services
from strategies.models import StrategyLink
from strategies.shapes import DESCRIPTION_LENGTH, NAME_LENGTH
from strategies.templates import TEMPLATES


@page()
def strategy_list(request: UserRequest) -> HttpResponse:
    links = queries.links_of(request.user).order_by("-created_at", "-pk")
    context = {"section": "strategies", "links": links, "templates": TEMPLATES}
    return render(request, "dashboard/strategies.html", context)


@page(is_public=True)
def strategy_page(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    """One's own strategy, or anybody's public one; that without signing in, too."""
    link = queries.readable_link(request.user, strategy_id)
    return show_strategy(request, link)


def show_strategy(
    request: UserRequest,
    link: StrategyLink,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """`refusal` is of a backtest that was asked for."""
    context: dict[str, Any] = {
        "section": "strategies",
        "link": link,
        "config": link.config and strategy_forms.in_order(link.config),
        "is_own": link.owner_id == request.user.pk,
        "bots": link.bots.filter(owner=request.user.pk).order_by("name"),
        "address": request.build_absolute_uri(reverse("dashboard:strategy", args=[link.pk])),
        "limits": {"name": NAME_LENGTH, "description": DESCRIPTION_LENGTH},
    }
    if request.user.is_authenticated:
        sent = request.POST if refusal else None
        context["backtests"] = backtests_of(
            request.user, link, chosen=request.GET.get("backtest", ""), sent=sent, refusal=refusal
        )
    status = refusal.status if refusal else 200
    return render(request, "dashboard/strategy.html", context, status=status)


@page("GET", "POST")
def new_strategy(request: UserRequest) -> HttpResponse:
    if request.method != "POST":
        return _ask(request, _first_values(request))
    values = strategy_forms.sent_values(request.POST)
    action = request.POST.get("action", "save")
    if action not in ("save", "check"):
        return _ask(request, values)  # a leg more or less
    try:
        if action == "check":
            return _ask(request, values, trial=_trial(request, values))
        link = services.save_strategy(owner=request.user, **strategy_forms.body_of(values))
    except Refusal as refusal:
        return _ask(request, values, refusal)
    messages.success(request, f"{link.name} is saved. A bot can run it now.")
    return redirect("dashboard:strategy", strategy_id=link.pk)


@page("POST")
def preview(request: UserRequest) -> HttpResponse:
    """What was typed so far, tried on the latest chain: the part of the page beside the form."""
    values = strategy_forms.sent_values(request.POST)
    context: dict[str, Any] = {"values": values}
    try:
        context["trial"] = _trial(request, values)
    except Refusal as refusal:
        context["refusal"] = refusal
        context["lines"] = _marked_lines(values, refusal)
    return render(request, "dashboard/partials/strategy_preview.html", context)


@page("POST")
def clone_strategy(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    link = queries.readable_link(request.user, strategy_id)
    clone = services.clone_strategy(link=link, owner=request.user)
    messages.success(request, f"This is your own, private copy of {link.name}.")
    return redirect("dashboard:strategy", strategy_id=clone.pk)


@page("POST")
def update_strategy(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    """Its name, description and who sees it; what it does never changes."""
    link = queries.link_of(request.user, strategy_id)
    is_public = "public" in request.POST
    privacy = StrategyLink.Privacy.PUBLIC if is_public else StrategyLink.Privacy.PRIVATE
    sent = {name: request.POST.get(name, "") for name in ("name", "description")}
    try:
        changes = strategy_forms.changes_of({**sent, "privacy": privacy.value})
    except Refusal as refusal:
        for path, reasons in refusal.fields.items():
            messages.error(request, f"Not saved: {path} {'; '.join(reasons)}.")
    else:
        services.update_link(link=link, changes=changes)
        messages.success(request, "Saved.")
    return redirect("dashboard:strategy", strategy_id=link.pk)


@page("GET", "POST")
def delete_strategy(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    """Ask first; bots that run it keep it."""
    link = queries.link_of(request.user, strategy_id)
    if request.method != "POST":
        bots = link.bots.filter(owner=request.user).order_by("name")
        context = {"section": "strategies", "link": link, "bots": bots}
        return render(request, "dashboard/strategy_delete.html", context)
    services.delete_link(link=link)
    messages.success(request, f"{link.name} is deleted.")
    return redirect("dashboard:strategies")


def _first_values(request: UserRequest) -> dict[str, Any]:
    """A template, or a strategy to be changed and saved as another (`?from=` its id)."""
    kind = strategy_forms.kind_of(request.GET.get("kind"))
    origin = request.GET.get("from", "")
    if not origin:
        template = strategy_forms.template_of(request.GET.get("template"))
        return strategy_forms.template_values(kind, template)
    link = queries.readable_link(request.user, _uuid(origin))
    if kind != PROGRAM and link.config is None:
        kind = PROGRAM
    return strategy_forms.link_values(
        kind, link.name, link.description, link.config, link.strategy.program
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # nobody's


def _trial(request: UserRequest, values: dict[str, Any]) -> Trial:
    """Raises the refusal of what was typed."""
    source = services.read_source(**strategy_forms.source_of(values))
    return try_out(user=request.user, source=source, balance=values.get(BALANCE, ""))


def _marked_lines(values: dict[str, Any], refusal: Refusal) -> list[tuple[int, str, bool]]:
    """A refused program line by line: (number, text, whether it is the one that is wrong)."""
    cause = refusal.__cause__
    wrong = getattr(cause, "line", None)
    if values["kind"] != PROGRAM or wrong is None:
        return []
    lines = enumerate(values["source"].splitlines(), start=1)
    return [(number, text, number == wrong) for number, text in lines if abs(number - wrong) <= 3]


def _ask(
    request: UserRequest,
    values: dict[str, Any],
    refusal: Refusal | None = None,
    **more: Any,
) -> HttpResponse:
    context = {
        "section": "strategies",
        "kind": values["kind"],
        "kinds": KINDS,
        "takes_templates": values["kind"] in (BUILDER, FORM),
        "form": strategy_forms.strategy_form(values, refusal),
        "values": values,
        "templates": TEMPLATES,
        **more,
    }
    status = refusal.status if refusal else 200
    return render(request, "dashboard/strategy_new.html", context, status=status)
