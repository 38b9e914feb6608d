"""Where one is told of state changes: channels, their log, a test, another try."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from alerts import queries, services
from alerts.models import Channel, Kind
from common.errors import Refusal
from dashboard.access import UserRequest, page
from marketdata import queries as market

LOG_LENGTH = 50


@page("GET", "POST")
def alerts(request: UserRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request)
    sent = request.POST
    try:
        services.add_channel(
            owner=request.user,
            channel_type=sent.get("type", ""),
            url=sent.get("url", "").strip(),
            kinds=sent.getlist("kinds"),
            market_at=market.market_now().at,
        )
    except Refusal as refusal:
        return _show(request, refusal)
    messages.success(request, "Added. Send a test to see that it arrives.")
    return redirect("dashboard:alerts")


@page("POST")
def remove(request: UserRequest, channel_id: UUID) -> HttpResponse:
    services.remove_channel(owner=request.user, channel_id=channel_id)
    messages.success(request, "Removed.")
    return redirect("dashboard:alerts")


@page("POST")
def send_test(request: UserRequest, channel_id: UUID) -> HttpResponse:
    services.send_test(owner=request.user, channel_id=channel_id, now=timezone.now())
    messages.success(request, "A test is on its way; the log below shows what came of it.")
    return redirect("dashboard:alerts")


@page("POST")
def try_again(request: UserRequest, delivery_id: UUID) -> HttpResponse:
    services.try_again(owner=request.user, delivery_id=delivery_id, now=timezone.now())
    messages.success(request, "It is tried again.")
    return redirect("dashboard:alerts")


def _show(request: UserRequest, refusal: Refusal | None = None) -> HttpResponse:
    is_refused = refusal is not None
    context = {
        "section": "account",
        "channels": queries.channels_of(request.user),
        "deliveries": queries.deliveries_of(request.user)[:LOG_LENGTH],
        "types": Channel.Type.choices,
        "kinds": Kind.choices,
        "waits": [_words(seconds) for seconds in services.RETRY_AFTER_SECONDS],
        "refusal": refusal,
        "sent": request.POST if is_refused else {"type": Channel.Type.WEBHOOK.value},
        "sent_kinds": request.POST.getlist("kinds") if is_refused else list(Kind.values),
    }
    status = refusal.status if refusal else 200
    return render(request, "dashboard/alerts.html", context, status=status)


def _words(seconds: int) -> str:
    """90 -> "90 s", 300 -> "5 min", 7200 -> "2 h"."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
