"""Who opens a stream: a token in the header, or the dashboard's cookie (EventSource sends no
headers).
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from rest_framework.exceptions import AuthenticationFailed

from accounts.authentication import TokenAuthentication
from accounts.models import User
from common.api import error_body

UNAUTHORIZED = "Send your token in the Authorization header; POST /auth/sessions hands one out."


async def streaming_user(request: HttpRequest) -> User | None:
    """The user of a token or of a dashboard session; None for neither."""
    return await sync_to_async(_user)(request)


def unauthorized() -> JsonResponse:
    return JsonResponse(error_body("unauthorized", UNAUTHORIZED), status=401)


def _user(request: HttpRequest) -> User | None:
    if "Authorization" in request.headers:
        try:
            found = TokenAuthentication().authenticate(request)  # type: ignore[arg-type]
        except AuthenticationFailed:
            return None
        return found[0] if found else None
    return request.user if isinstance(request.user, User) else None
