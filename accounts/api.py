"""Users and tokens (contract.md section 2)."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import codes, queries, services
from accounts.models import User
from accounts.shapes import (
    TOKEN_NAME_LENGTH,
    Code,
    Email,
    Password,
    Scopes,
    Token,
    TokenObject,
    UserChanges,
    UserObject,
    token_object,
    user_object,
)
from common.schema import errors
from common.shapes import StrictSerializer, Text, refuse_body
from common.throttles import AccountThrottle, AddressThrottle
from common.views import ApiView

TOKEN_EXAMPLE = OpenApiExample(
    "token", value={"token": "0f4be1c2a95d4e7783d06c5fa1b2c3d4"}, response_only=True
)
CREDENTIALS = {"email": "ada@example.com", "password": "correct horse battery"}
EMAIL_EXAMPLE = OpenApiExample("an address", {"email": "ada@example.com"}, request_only=True)
REGISTER_EXAMPLE = OpenApiExample(
    "with the code", {**CREDENTIALS, "verification_code": "123456"}, request_only=True
)
SIGN_IN_EXAMPLE = OpenApiExample("everything", CREDENTIALS, request_only=True)
MONITOR_EXAMPLE = OpenApiExample(
    "a monitor", {**CREDENTIALS, "name": "monitor", "scopes": ["read"]}, request_only=True
)
TOKEN_LIST_EXAMPLE = OpenApiExample(
    "a monitor",
    value={
        "id": "1d0c5c1e-7a34-4b0e-8a55-9d3f6c1b2a77",
        "name": "monitor",
        "scopes": ["read"],
        "created_at": "2026-05-07T13:20:00.000Z",
        "last_used_at": "2026-05-07T14:30:01.000Z",
        "expires_at": "2026-08-05T14:30:01.000Z",
    },
    response_only=True,
)
USER_EXAMPLE = OpenApiExample(
    "user",
    value={
        "id": "6f1c9f0e-52a1-4c3e-9a68-0f6b2f9f8a11",
        "email": "ada@example.com",
        "fee_schedule": {"open": "1.72", "close": "0.72", "exercise": "5.00"},
        "slippage": "0.05",
    },
    response_only=True,
)


class VerifyEmail(ApiView):
    authentication_classes = []
    permission_classes = []
    throttle_classes = [AddressThrottle, AccountThrottle]

    class Input(StrictSerializer):
        email = Email()

    @extend_schema(
        summary="Send a verification code",
        description=(
            "Sends a 6-digit code: valid for 15 minutes, for one use, locked after 5 wrong tries, "
            "at most one a minute. The answer is the same with and without an account."
        ),
        tags=["auth"],
        request=Input,
        examples=[EMAIL_EXAMPLE],
        responses={204: None, **errors(400, codes={503: ["mail_unavailable"]})},
    )
    def post(self, request: Request) -> Response:
        body = self.Input(data=request.data)
        body.is_valid(raise_exception=True)
        codes.send_code(email=body.validated_data["email"], now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class Registration(ApiView):
    authentication_classes = []
    permission_classes = []
    throttle_classes = [AddressThrottle, AccountThrottle]

    class Input(StrictSerializer):
        email = Email()
        verification_code = Code()
        password = Password()

    @extend_schema(
        summary="Register",
        description=(
            "With the code that was sent to the address. The password has 8 to 128 characters and "
            "must not be common or close to the address."
        ),
        tags=["auth"],
        request=Input,
        responses={
            201: Token,
            **errors(
                codes={
                    400: ["invalid_input", "invalid_verification_code"],
                    409: ["email_taken"],
                }
            ),
        },
        examples=[REGISTER_EXAMPLE, TOKEN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = self.Input(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        token = services.register(
            email=sent["email"],
            code=sent["verification_code"],
            password=sent["password"],
            now=timezone.now(),
        )
        return Response({"token": token}, status=status.HTTP_201_CREATED)


class Tokens(ApiView):
    """Signing in needs no token, and is not hindered by an old one; signing out does."""

    class Input(StrictSerializer):
        email = Email()
        password = Password()
        name = Text(
            required=False,
            allow_blank=True,
            max_length=TOKEN_NAME_LENGTH,
            help_text="For your list of tokens: which program it is for.",
        )
        scopes = Scopes(
            required=False,
            help_text='`["read"]` may not write anything; both, the default, may do everything.',
        )

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self._is_sign_in() else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self._is_sign_in() else super().get_permissions()

    def get_throttles(self) -> Any:
        per_account = [AccountThrottle()] if self._is_sign_in() else []
        return [AddressThrottle(), *per_account]

    def _is_sign_in(self) -> bool:
        return self.request is not None and self.request.method == "POST"

    @extend_schema(
        summary="Sign in",
        description=(
            'A new token, shown this once. `scopes` and `name` are ours: a token of `["read"]` '
            "is refused on every write, for a monitor that must not start or stop anything."
        ),
        tags=["auth"],
        request=Input,
        responses={201: Token, **errors(400, 401)},
        examples=[SIGN_IN_EXAMPLE, MONITOR_EXAMPLE, TOKEN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = self.Input(data=request.data)
        body.is_valid(raise_exception=True)
        token = services.sign_in(**body.validated_data)
        return Response({"token": token}, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Sign out",
        description="Revokes the token that the request carries.",
        tags=["auth"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        refuse_body(request)
        services.revoke_token(token=request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenList(ApiView):
    throttle_classes = [AddressThrottle]

    @extend_schema(
        summary="List your tokens",
        description="Those that still open something, newest first. Ours.",
        tags=["auth"],
        responses=TokenObject(many=True),
        examples=[TOKEN_LIST_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        return Response([token_object(row) for row in queries.tokens_of(_user(request))])


class TokenDetail(ApiView):
    throttle_classes = [AddressThrottle]

    @extend_schema(
        summary="Revoke a token",
        description="Programs that use it are signed out at once. Ours.",
        tags=["auth"],
        request=None,
        responses={204: None, **errors(404)},
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        token = queries.token_of(_user(request), token_id)
        refuse_body(request)
        services.revoke_token(token=token)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user(request: Request) -> User:
    """The signed-in user: the permission has refused everybody else."""
    return cast(User, request.user)


class Me(ApiView):
    @extend_schema(
        summary="Your account",
        description="What trading costs you: dollars per contract, and dollars of slippage.",
        tags=["user"],
        responses=UserObject,
        examples=[USER_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        return Response(user_object(_user(request)))

    @extend_schema(
        summary="Change your fees or slippage",
        description="For sessions that start afterwards. Fees 0 to 100, slippage 0 to 5 dollars.",
        tags=["user"],
        request=UserChanges,
        responses={200: UserObject, **errors(400)},
        examples=[
            USER_EXAMPLE,
            OpenApiExample(
                "cheaper to open", value={"fee_schedule": {"open": "1.10"}}, request_only=True
            ),
        ],
    )
    def patch(self, request: Request) -> Response:
        body = UserChanges(data=request.data)
        body.is_valid(raise_exception=True)
        user = services.update_user(user=_user(request), changes=body.columns())
        return Response(user_object(user))
