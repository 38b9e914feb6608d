"""Who opens a stream: a token in the header, or the dashboard's cookie (EventSource sends no
headers).
"""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed

from accounts.authentication import TokenAuthentication
from accounts.models import User
from common import errors, sse
from common.api import SIGN_IN


async def streaming_user(request: HttpRequest) -> User:
    """The user of a token or of a dashboard session. Raises Unauthorized."""
    user = await sse.read_first(_user, request)
    if user is None:
        raise errors.Unauthorized(SIGN_IN)
    return user


def _user(request: HttpRequest) -> User | None:
    if "Authorization" in request.headers:
        try:
            # It asks only for the headers and the method, which a plain request has too.
            found = TokenAuthentication().authenticate(request)  # type: ignore[arg-type]
        except AuthenticationFailed:
            return None
        return found[0] if found else None
    return request.user if isinstance(request.user, User) else None
