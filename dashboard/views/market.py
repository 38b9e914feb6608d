"""The market page: the chain around spot and the state of the feed."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from dashboard.access import UserRequest, page
from dashboard.reads.market import chain, market_strip


@page()
def market(request: UserRequest) -> HttpResponse:
    return render(request, "dashboard/market.html", _context())


@page()
def market_body(request: UserRequest) -> HttpResponse:
    return render(request, "dashboard/partials/market.html", _context())


def _context() -> dict[str, Any]:
    return {"section": "market", "market": market_strip(), "chain": chain()}
