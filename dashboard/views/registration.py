"""Registering in two steps: the address, then the code that was sent to it and a password.

The checks, limits and refusals are the API's own (POST /auth/verify-email and /auth/register).
"""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts import codes, services
from accounts.shapes import Code, Email, Password
from common.api import flat_fields
from common.errors import InvalidInput, Refusal, TooManyRequests
from common.throttles import AccountThrottle, AddressThrottle

BACKEND = "django.contrib.auth.backends.ModelBackend"
SEND = "send"
PRINTING = "django.core.mail.backends.console.EmailBackend"


class Address(Serializer):
    email = Email()


class Registration(Address):
    verification_code = Code()
    password = Password()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request)
    is_first_step = request.POST.get("action") == SEND
    try:
        _take_an_attempt(request)
        return _send_code(request) if is_first_step else _register(request)
    except Refusal as refusal:
        answer = _show(request, refusal.status, problem=refusal, has_code=not is_first_step)
        for name, value in refusal.headers.items():
            answer[name] = value
        return answer


def _take_an_attempt(request: HttpRequest) -> None:
    """The limits of /auth/*, from the same buckets. Raises TooManyRequests."""
    attempt = Request(request, parsers=[FormParser(), MultiPartParser()])
    for throttle in (AddressThrottle(), AccountThrottle()):
        if not throttle.allow_request(attempt, APIView()):
            wait_seconds = math.ceil(throttle.wait())
            raise TooManyRequests(
                f"Too many attempts; try again in {wait_seconds} seconds.",
                retry_after_seconds=wait_seconds,
            )


def _send_code(request: HttpRequest) -> HttpResponse:
    email = _read(Address, request)["email"]
    codes.send_code(email=email, now=timezone.now())
    return _show(request, has_code=True)


def _register(request: HttpRequest) -> HttpResponse:
    sent = _read(Registration, request)
    user = services.create_account(
        email=sent["email"],
        code=sent["verification_code"],
        password=sent["password"],
        now=timezone.now(),
    )
    login(request, user, backend=BACKEND)
    return redirect("dashboard:home")


def _read(shape: type[Serializer[Any]], request: HttpRequest) -> dict[str, Any]:
    body = shape(data=request.POST.dict())
    try:
        body.is_valid(raise_exception=True)
    except ValidationError as exc:
        fields = flat_fields(exc.detail)
        reasons = (f"{name.replace('_', ' ')}: {why[0]}" for name, why in fields.items())
        raise InvalidInput("; ".join(reasons).rstrip(".") + ".", fields=fields) from exc
    read: dict[str, Any] = body.validated_data
    return read


def _show(
    request: HttpRequest,
    status: int = 200,
    *,
    problem: Refusal | None = None,
    has_code: bool = False,
) -> HttpResponse:
    context = {
        "problem": problem,
        "has_code": has_code,
        "email": request.POST.get("email", ""),
        "mail_is_printed": settings.EMAIL_BACKEND == PRINTING,
    }
    return render(request, "dashboard/register.html", context, status=status)
