"""Views that misbehave on request, below the same handlers and settings as the API."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import include, path
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from common import errors
from common.idempotency import idempotent
from common.paging import page
from common.routing import route
from common.shapes import Boolean, Choice, Instant, Money, StrictSerializer, Text, WholeNumber


class Full(errors.Conflict):
    code = "full"


FAILURES: dict[str, Any] = {
    "refusal": Full("There is no room.", fields={"room": ["is full"]}),
    "soon": errors.TooManyRequests("Wait.", retry_after_seconds=7),
    "permission": PermissionDenied("secret reason"),
    "suspicious": SuspiciousOperation("secret reason"),
    "http404": Http404("secret reason"),
    "throttled": exceptions.Throttled(wait=2.1),
    "api": exceptions.APIException("Odd."),
    "database": OperationalError("secret reason"),
    "bug": RuntimeError("secret reason"),
}


class Open(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


class Fail(Open):
    def get(self, request, kind):
        raise FAILURES[kind]


class Lookup(Open):
    def get(self, request):
        return Response(get_object_or_404(Group, pk=0))


class Shape(StrictSerializer):
    class Leg(StrictSerializer):
        side = Choice(["put", "call"])

    name = Text(max_length=5)
    price = Money(min_cents=-100, max_cents=10000, required=False)
    fee = Money(two_decimals=True, required=False)
    count = WholeNumber(min_value=1, max_value=9, required=False)
    flag = Boolean(required=False)
    at = Instant(required=False)
    legs = Leg(many=True, required=False)
    leg = Leg(required=False)
    number = serializers.IntegerField(read_only=True)


class Echo(Open):
    def post(self, request):
        shape = Shape(data=request.data)
        shape.is_valid(raise_exception=True)
        return Response(Shape(shape.validated_data).data)


class Raw(Open):
    def post(self, request):
        return Response({"seen": request.data})


class Groups(APIView):
    """Creates a row; can be slow, refuse, or fail after having written."""

    running = threading.Event()

    @idempotent
    def post(self, request):
        group = Group.objects.create(name=f"{request.data['name']}-{time.monotonic_ns()}")
        transaction.on_commit(lambda: COMMITTED.append(group.pk))
        self.running.set()
        time.sleep(request.data.get("sleep", 0))
        if "fail" in request.data:
            raise FAILURES[request.data["fail"]]
        return Response({"id": group.pk, "price": "1.40"}, status=201)


COMMITTED: list[int] = []


class Pages(Open):
    def get(self, request):
        found = page(Group.objects.all(), request, key=("-name", "-id"), limit_max=5)
        return Response([group.name for group in found.rows], headers=found.headers)


class Rows(Open):
    def get(self, request):
        rows = [{"seq": seq} for seq in range(1, 8)]
        found = page(rows, request, key=("seq",), limit_default=3, limit_max=5)
        return Response(found.rows, headers=found.headers)


class Limited(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [
    *route("api/probe/fail/<str:kind>", Fail.as_view()),
    *route("api/probe/lookup", Lookup.as_view()),
    *route("api/probe/echo", Echo.as_view()),
    *route("api/probe/raw", Raw.as_view()),
    *route("api/probe/groups", Groups.as_view()),
    *route("api/probe/other", Groups.as_view()),
    *route("api/probe/pages", Pages.as_view()),
    *route("api/probe/rows", Rows.as_view()),
    *route("api/probe/limited", Limited.as_view()),
    path("api/", include("common.api_urls")),
    path("", include("common.urls")),
]

handler400 = "common.api.bad_request"
handler403 = "common.api.permission_denied"
handler404 = "common.api.not_found"
handler500 = "common.api.server_error"
