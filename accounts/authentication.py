"""Tokens in the Authorization header. The dashboard's session cookie opens nothing here."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts import services
from accounts.models import Scope, User
from common import errors
from common.prepared import Prepared

HEADER_SHAPE = re.compile(rb"(?:bearer +)?([0-9a-f]{32})", re.IGNORECASE)
REFUSAL = "The token is malformed, expired or revoked; sign in again for a new one."


class InsufficientScope(errors.Forbidden):
    code = "insufficient_scope"


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: <token>`, bare or after `Bearer`. One query, by the token's hash.

    A token that is used lives on: its expiry moves, written at most once a day (REST_KNOX), and its
    last use is written at most once a minute. One without the scope `trade` only reads: this is
    judged here, where no view can leave it out.
    """

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        header = get_authorization_header(request).strip()
        if not header:
            return None
        found = HEADER_SHAPE.fullmatch(header)
        if not found:
            raise AuthenticationFailed(REFUSAL)
        user, token = self.authenticate_credentials(found.group(1))
        if request.method not in SAFE_METHODS and Scope.TRADE not in token.details.scopes:
            raise InsufficientScope("This token may only read; use one with the scope trade.")
        return user, token

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        digest = hash_token(token.decode("ascii"))
        row = _token(digest=digest).first()
        is_over = row is not None and row.expiry is not None and row.expiry <= timezone.now()
        if row is None or is_over or not row.user.is_active:
            raise AuthenticationFailed(REFUSAL)
        if knox_settings.AUTO_REFRESH and row.expiry is not None:
            self.renew_token(row)
        services.note_use(token=row, now=timezone.now())
        return row.user, row


@Prepared
def _token(digest: str) -> QuerySet[AuthToken]:
    tokens: QuerySet[AuthToken] = AuthToken.objects.select_related("user", "details")
    return tokens.filter(digest=digest)


def lockout_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """Whose log-in form axes locks: the address as it is stored, however it was typed."""
    name = (credentials or request.POST).get("username")
    return name.strip().lower() if name else None


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The bare token (32 lower-case hex); `Bearer <token>` works too.",
        }
