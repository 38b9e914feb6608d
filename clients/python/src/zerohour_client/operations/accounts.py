"""Signing in, your account, your tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import httpx

from zerohour_client._calls import Call, Repeat, body, many, nothing, one, path
from zerohour_client.models import NewToken, Scope, Token, User

Amount = Decimal | int | str


def request_code(email: str) -> Call[None]:
    """Have a verification code sent by e-mail."""
    content = body(email=email)
    return Call("POST", "/auth/verify-email", nothing, Repeat.UNSAFE, body=content)


def register(email: str, verification_code: str, password: str) -> Call[str]:
    """A new account, with the code that was sent. The token of its first sign-in."""
    content = body(email=email, verification_code=verification_code, password=password)
    return Call("POST", "/auth/register", _secret, Repeat.UNSAFE, body=content)


def login(email: str, password: str) -> Call[str]:
    """A token that may do everything, shown this once."""
    content = body(email=email, password=password)
    return Call("POST", "/auth/sessions", _secret, Repeat.UNSAFE, body=content)


def logout() -> Call[None]:
    """Revoke the token that is used."""
    return Call("DELETE", "/auth/sessions", nothing, Repeat.UNSAFE)


def list_tokens() -> Call[list[Token]]:
    """Those that still open something, newest first."""
    return Call("GET", "/auth/tokens", many(Token))


def create_token(
    email: str, password: str, *, name: str = "", scopes: Sequence[Scope] = ("read", "trade")
) -> Call[NewToken]:
    """A further token for a program; with `scopes=["read"]` it cannot write anything."""
    content = body(email=email, password=password, name=name, scopes=scopes)
    return Call("POST", "/auth/sessions", one(NewToken), Repeat.UNSAFE, body=content)


def revoke_token(token_id: UUID | str) -> Call[None]:
    """Programs that use it are signed out at once."""
    return Call("DELETE", path("/auth/tokens/{}", token_id), nothing, Repeat.UNSAFE)


def get_user() -> Call[User]:
    """Your account."""
    return Call("GET", "/user", one(User))


def update_user(
    *, fee_schedule: Mapping[str, Amount] | None = None, slippage: Amount | None = None
) -> Call[User]:
    """Change what trading costs you, for sessions that start afterwards."""
    content = body(fee_schedule=fee_schedule, slippage=slippage)
    return Call("PATCH", "/user", one(User), Repeat.UNSAFE, body=content)


def _secret(response: httpx.Response) -> str:
    return one(NewToken)(response).token
