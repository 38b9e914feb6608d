"""All bots on one page, and the market strip above every page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.access import UserRequest, page
from dashboard.reads.arrangement import STATES, Arrangement
from dashboard.reads.market import market_strip
from dashboard.reads.overview import overview


@page()
def home(request: UserRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", _context(request))


@page()
def rows(request: UserRequest) -> HttpResponse:
    """The part of the page that moves, polled every two seconds."""
    return render(request, "dashboard/partials/overview.html", _context(request))


@page()
def strip(request: UserRequest) -> HttpResponse:
    return render(request, "dashboard/partials/market_strip.html", {"market": market_strip()})


def _context(request: UserRequest) -> dict[str, Any]:
    wanted = Arrangement.of(request.GET.dict())
    found = overview(owner=request.user, archived=wanted.is_archived)
    return {
        "section": "overview",
        "overview": found,
        "rows": wanted.rows(found.rows),
        "arrangement": wanted,
        "states": STATES,
    }
