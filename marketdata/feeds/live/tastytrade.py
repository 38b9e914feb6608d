"""tastytrade: an OAuth login, the nested option chain of SPX, quotes over dxLink.

After the vendor's own pages at developer.tastytrade.com: a refresh token that does not expire buys
an access token of 15 minutes, and that a quote token of 24 hours for the stream. The access token
is kept while it holds, for an address with many failed logins is blocked for hours; each connection
asks for a quote token of its own. No secret is ever logged or part of an error's text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

import httpx

from marketdata.feeds.live.dxfeed import DxFeedStream, cents_of
from marketdata.feeds.live.dxlink import DxLink
from marketdata.feeds.live.vendor import NotConfigured, Refused, VendorError
from simengine.market import CALL, MISSING, PUT, Contract

SECRET, REFRESH, URL = (
    "TASTYTRADE_CLIENT_SECRET",
    "TASTYTRADE_REFRESH_TOKEN",
    "TASTYTRADE_API_URL",
)
PRODUCTION_URL = "https://api.tastyworks.com"
USER_AGENT = "zerohour/1.0"  # required, in this form; without one every call is refused
TIMEOUT_SECONDS = 10.0
ACCESS_SPARE_SECONDS = 60.0
ACCESS_LIFE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Credentials:
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    url: str = PRODUCTION_URL

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Credentials:
        """Raises NotConfigured."""
        missing = [name for name in (SECRET, REFRESH) if not env.get(name)]
        if missing:
            raise NotConfigured(
                f"Set {' and '.join(missing)} in the environment (docs/live-data.md)."
            )
        return cls(env[SECRET], env[REFRESH], (env.get(URL) or PRODUCTION_URL).rstrip("/"))


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str = field(repr=False)
    good_until: float  # seconds of the monotonic clock


@dataclass(frozen=True, slots=True)
class QuoteToken:
    text: str = field(repr=False)
    url: str  # of the stream
    level: str  # the vendor's word for what we may see, such as "api" or "delayed"


class Tastytrade:
    name = "tastytrade"

    def __init__(
        self, credentials: Credentials, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._credentials, self._monotonic = credentials, monotonic
        self._client = httpx.Client(
            base_url=credentials.url,
            timeout=TIMEOUT_SECONDS,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        )
        self._access: AccessToken | None = None
        self._chain: tuple[date, dict[Contract, str]] | None = None
        self._secrets = {credentials.client_secret, credentials.refresh_token}

    def close(self) -> None:
        self._client.close()

    def open(self, trading_date: date) -> DxFeedStream:
        symbols = self.chain(trading_date)
        token = self.quote_token()
        link = DxLink(token.url, token.text, monotonic=self._monotonic)
        host = urlsplit(token.url).hostname
        return DxFeedStream(link, symbols, about=f"connected to {host}, level {token.level}")

    def login(self) -> AccessToken:
        """A token that still holds. Raises Refused, VendorError."""
        if self._access is None or self._access.good_until <= self._monotonic():
            self._access = self._new_access()
            self._secrets.add(self._access.text)
        return self._access

    def quote_token(self) -> QuoteToken:
        data = self._get("/api-quote-tokens")
        try:
            token, url = str(data["token"]), str(data["dxlink-url"])
        except KeyError as exc:
            raise VendorError(f"an answer without {exc} from /api-quote-tokens") from exc
        return QuoteToken(token, url, str(data.get("level", "unknown")))

    def chain(self, trading_date: date) -> dict[Contract, str]:
        """The SPXW contracts that expire on the day and their streamer symbols.

        Raises VendorError, also where there are none.
        """
        if self._chain is None or self._chain[0] != trading_date:
            found = dict(_contracts(self._get("/option-chains/SPX/nested"), trading_date))
            if not found:
                raise VendorError(f"no SPXW contracts expire on {trading_date}")
            self._chain = (trading_date, found)
        return self._chain[1]

    def _new_access(self) -> AccessToken:
        body = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.refresh_token,
            "client_secret": self._credentials.client_secret,
        }
        data = self._answer("POST", "/oauth/token", json=body)
        if not isinstance(data.get("access_token"), str):
            raise VendorError("an answer without access_token from /oauth/token")
        life = data.get("expires_in", ACCESS_LIFE_SECONDS)
        seconds = float(life) if isinstance(life, int | float) else ACCESS_LIFE_SECONDS
        spare = min(ACCESS_SPARE_SECONDS, seconds / 2)
        return AccessToken(data["access_token"], self._monotonic() + seconds - spare)

    def _get(self, path: str) -> dict[str, Any]:
        """The `data` of an answer. A token that was taken back early is renewed once."""
        try:
            data = self._authorised(path)
        except Refused:
            if self._access is None or self._access.good_until <= self._monotonic():
                raise  # the login itself was refused
            self._access = None
            data = self._authorised(path)
        if not isinstance(data, dict):
            raise VendorError(f"an answer without data from {path}")
        return data

    def _authorised(self, path: str) -> Any:
        bearer = {"Authorization": f"Bearer {self.login().text}"}
        return self._answer("GET", path, headers=bearer).get("data")

    def _answer(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as exc:
            raise VendorError(f"{type(exc).__name__} at {path}: {exc}") from exc
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.is_success and isinstance(body, dict):
            return body
        text = self._without_secrets(f"{path} answers {response.status_code}{_reason(body)}")
        is_refusal = 400 <= response.status_code < 500 and response.status_code not in (408, 429)
        raise Refused(text) if is_refusal else VendorError(text)

    def _without_secrets(self, text: str) -> str:
        """A server may repeat what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _reason(body: Any) -> str:
    """The vendor's code and sentence, in either of its two forms."""
    if not isinstance(body, dict):
        return ""
    inner = body.get("error")
    given = inner if isinstance(inner, dict) else body
    code = given.get("code") or given.get("error_code") or (inner if isinstance(inner, str) else "")
    text = given.get("message") or given.get("error_description") or ""
    return f": {str(code)[:80]} {str(text)[:200]}".rstrip()


def _contracts(data: Mapping[str, Any], trading_date: date) -> list[tuple[Contract, str]]:
    found: list[tuple[Contract, str]] = []
    try:
        for item in data["items"]:
            if item["root-symbol"] != "SPXW":
                continue
            for expiration in item["expirations"]:
                if expiration["expiration-date"] == trading_date.isoformat():
                    for strike in expiration["strikes"]:
                        found += _both_sides(strike)
    except (KeyError, TypeError, AttributeError) as exc:
        raise VendorError(f"a chain we cannot read: {type(exc).__name__} {exc}") from exc
    return found


def _both_sides(strike: Mapping[str, Any]) -> list[tuple[Contract, str]]:
    try:
        cents = cents_of(Decimal(str(strike["strike-price"])))
    except InvalidOperation:
        cents = MISSING
    if cents <= 0:
        return []
    pairs = ((CALL, "call-streamer-symbol"), (PUT, "put-streamer-symbol"))
    return [(Contract(right, cents), strike[name]) for right, name in pairs if strike.get(name)]
