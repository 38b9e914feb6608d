"""What a stranger may ask: are you alive, are you ready, what can you do. No authentication."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLResolver, get_resolver
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import health
from common.schema import errors

DOCUMENT = OpenApiExample(
    "its first line", {"openapi": "3.0.3"}, response_only=True, media_type="application/yaml"
)
PAGE = OpenApiExample("a page", "<!doctype html>", response_only=True, media_type="text/html")


class PublicView(APIView):
    """Open to everybody, and not limited: a probe must not be told to wait."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []


@method_decorator(never_cache, name="dispatch")
class Health(PublicView):
    class Output(serializers.Serializer):
        status = serializers.ChoiceField(choices=["alive"])

    @extend_schema(
        summary="Is the process alive?",
        description="Asks nothing of the database or of anything else.",
        tags=["discovery"],
        responses=Output,
        examples=[OpenApiExample("alive", {"status": "alive"}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


@method_decorator(never_cache, name="dispatch")
class Ready(PublicView):
    class Output(serializers.Serializer):
        status = serializers.ChoiceField(choices=["ready"])
        checks = serializers.ListField(
            child=serializers.CharField(), help_text="Names of what was checked and works."
        )

    @extend_schema(
        summary="Can it do its work?",
        description="503 names what is down, in `message` and one by one in `fields`.",
        tags=["discovery"],
        responses={200: Output, **errors(codes={503: ["not_ready"]})},
        examples=[
            OpenApiExample(
                "ready",
                {"status": "ready", "checks": ["database", "redis", "market"]},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ready", "checks": health.check_ready()})


@cache
def openapi_yaml() -> bytes:
    """The document, generated once per process: routes do not change while it runs."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))


class OpenApi(PublicView):
    @extend_schema(
        summary="This document",
        description="Every path, body, answer and error.",
        tags=["discovery"],
        responses={
            (200, "application/yaml"): OpenApiResponse(
                OpenApiTypes.OBJECT, "OpenAPI 3.0.3", [DOCUMENT]
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(openapi_yaml(), content_type="application/yaml; charset=utf-8")


class Docs(PublicView):
    @extend_schema(
        summary="This document, browsable",
        description="Calls can be tried out there, with a token.",
        tags=["discovery"],
        responses={
            (200, "text/html"): OpenApiResponse(OpenApiTypes.STR, "A page for people", [PAGE])
        },
    )
    def get(self, request: Request) -> HttpResponse:
        return render(request._request, "common/docs.html")


@require_safe
def llms_txt(request: HttpRequest) -> HttpResponse:
    base = request.build_absolute_uri("/api")
    text = render_to_string("common/llms.txt", {"base": base})
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def only_the_api(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """For drf-spectacular: each route once, as the contract spells it (no last slash)."""
    return [
        endpoint
        for endpoint in [*endpoints, *_streams(get_resolver(), "/")]
        if endpoint[0].startswith("/api/") and not endpoint[0].endswith("/")
    ]


def _streams(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str, str, Any]]:
    """The streams, which are no views of DRF, by the description each has (common.schema)."""
    for entry in resolver.url_patterns:
        regex = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _streams(entry, regex)
        elif hasattr(entry.callback, "described_by"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", regex)
            yield path, regex, "GET", entry.callback.described_by.as_view()
