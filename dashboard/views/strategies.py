"""Saved strategies: the list, one of them, a new one, a clone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from common.errors import Refusal
from dashboard.access import UserRequest, page
from dashboard.forms import strategy as strategy_forms
from strategies import queries, services
from strategies.templates import TEMPLATES


@page()
def strategy_list(request: UserRequest) -> HttpResponse:
    links = queries.links_of(request.user).order_by("-created_at", "-pk")
    context = {"section": "strategies", "links": links, "templates": TEMPLATES}
    return render(request, "dashboard/strategies.html", context)


@page()
def strategy_page(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    """One's own strategy, or anybody's public one."""
    link = queries.readable_link(request.user, strategy_id)
    is_own = link.owner_id == request.user.pk
    bots = link.bots.filter(owner=request.user).order_by("name")
    context = {"section": "strategies", "link": link, "bots": bots, "is_own": is_own}
    return render(request, "dashboard/strategy.html", context)


@page("GET", "POST")
def new_strategy(request: UserRequest) -> HttpResponse:
    if request.method != "POST":
        is_program = request.GET.get("kind") == strategy_forms.PROGRAM
        kind = strategy_forms.PROGRAM if is_program else strategy_forms.FORM
        template = strategy_forms.template_of(request.GET.get("template"))
        values = strategy_forms.new_values(kind, template)
        return _ask(request, values)
    values = strategy_forms.sent_values(request.POST)
    if request.POST.get("action") == "check":
        return _check(request, values)
    try:
        link = services.save_strategy(owner=request.user, **strategy_forms.body_of(values))
    except Refusal as refusal:
        return _ask(request, values, refusal)
    messages.success(request, f"{link.name} is saved. A bot can run it now.")
    return redirect("dashboard:strategy", strategy_id=link.pk)


@page("POST")
def clone_strategy(request: UserRequest, strategy_id: UUID) -> HttpResponse:
    link = queries.readable_link(request.user, strategy_id)
    clone = services.clone_strategy(link=link, owner=request.user)
    messages.success(request, f"This is your own, private copy of {link.name}.")
    return redirect("dashboard:strategy", strategy_id=clone.pk)


def _check(request: UserRequest, values: dict[str, str]) -> HttpResponse:
    """What saving would make of it, saving nothing."""
    try:
        source = services.read_source(**strategy_forms.source_of(values))
    except Refusal as refusal:
        return _ask(request, values, refusal)
    return _ask(request, values, source=source)


def _ask(
    request: UserRequest,
    values: dict[str, str],
    refusal: Refusal | None = None,
    **more: Any,
) -> HttpResponse:
    context = {
        "section": "strategies",
        "kind": values["kind"],
        "form": strategy_forms.strategy_form(values, refusal),
        "templates": TEMPLATES,
        **more,
    }
    status = refusal.status if refusal else 200
    return render(request, "dashboard/strategy_new.html", context, status=status)
