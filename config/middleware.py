"""Middleware that only wires."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction
from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.decorators import sync_and_async_middleware

from common import metrics

A_PACKET_BYTES = 1_200  # what is shorter travels in one, compressed or not


class ContentSecurityPolicy(CSPMiddleware):
    """Our pages load from this host only; the admin's own scripts need a wider policy. The
    data of the API has that of the pages, worked out once.
    """

    _of_data: ClassVar[dict[str, str]] = {}

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_data = response.get("Content-Type", "").startswith("application/json")
        if not is_data or not request.path_info.startswith("/api/"):
            return super().process_response(request, response)
        if not self._of_data:
            answer = super().process_response(request, response)
            self._of_data[HEADER] = answer[HEADER]
        response.headers.setdefault(HEADER, self._of_data[HEADER])
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/") and not report_only:
            parts.update = {**settings.ADMIN_CONTENT_SECURITY, **(parts.update or {})}
        return parts


class CompressedAnswers(GZipMiddleware):
    """The API's answers and the charts' data to who accepts gzip; never a stream, whose events must
    not wait.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not isinstance(response, HttpResponse) or len(response.content) < A_PACKET_BYTES:
            return response
        is_json = response.get("Content-Type", "").startswith("application/json")
        if not is_json and not request.path_info.startswith("/api/"):
            return response
        return super().process_response(request, response)


@sync_and_async_middleware
def counted_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Counts and times every answer for /metrics; the first of all, so that it sees each.

    A stream counts when its answer begins.
    """
    if iscoroutinefunction(get_response):

        async def count_async(request: HttpRequest) -> HttpResponseBase:
            began = time.perf_counter()
            response: HttpResponseBase = await get_response(request)
            _count(request, response, time.perf_counter() - began)
            return response

        return count_async

    def count(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response: HttpResponseBase = get_response(request)
        _count(request, response, time.perf_counter() - began)
        return response

    return count


def _count(request: HttpRequest, response: HttpResponseBase, took_seconds: float) -> None:
    match = request.resolver_match
    route = match.route if match else ("static" if _is_static(request) else "none")
    method = request.method if request.method in _METHODS else "other"
    metrics.HTTP_REQUESTS.labels(method, route, str(response.status_code)).inc()
    metrics.HTTP_SECONDS.labels(method, route).observe(took_seconds)


def _is_static(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.STATIC_URL)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
