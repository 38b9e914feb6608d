"""Middleware that only wires."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class ContentSecurityPolicy(CSPMiddleware):
    """Our pages load from this host only; the admin's own scripts need a wider policy."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/") and not report_only:
            parts.update = {**settings.ADMIN_CONTENT_SECURITY, **(parts.update or {})}
        return parts


class CompressedAnswers(GZipMiddleware):
    """The API's answers to who accepts gzip; never a stream, whose events must not wait."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not request.path_info.startswith("/api/") or not isinstance(response, HttpResponse):
            return response
        return super().process_response(request, response)
