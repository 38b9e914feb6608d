"""GET /metrics: for a Prometheus on this host, or one that knows the token."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from common import metrics
from common.api import error_body

HOW = "Scrape from this host, or send METRICS_TOKEN as Authorization: Bearer <token>."


@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """401 for anybody else. Who comes through a proxy is not on this host, whatever it says."""
    if not _may_scrape(request):
        return JsonResponse(
            error_body("unauthorized", HOW), status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(
        metrics.scrape(),
        content_type=metrics.CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return constant_time_compare(given, settings.METRICS_TOKEN)
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a unix socket has no address
        return False
