"""Limits: token buckets in Redis behind DRF's throttle interface (contract.md section 1).

A bucket holds `burst` tokens and refills at `refill_per_minute`; a request takes one. Taking is one
Lua script on Redis's own clock, so it holds under parallel load and across processes. Rates are
settings, `THROTTLE_RATES[scope]`, read at each request. Without Redis the limit per user is
suspended and the limits on /auth/* are kept per process; either is logged.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from redis.commands.core import Script
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import redis_client

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

TAKE = """
local burst = tonumber(ARGV[1])
local per_ms = tonumber(ARGV[2])
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at_ms')
local tokens = tonumber(bucket[1]) or burst
local at_ms = tonumber(bucket[2]) or now_ms
tokens = math.min(burst, tokens + math.max(0, now_ms - at_ms) * per_ms)
local wait_ms = 0
if tokens >= 1 then tokens = tokens - 1 else wait_ms = math.ceil((1 - tokens) / per_ms) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at_ms', tostring(now_ms))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / per_ms))
return wait_ms
"""


@dataclass(frozen=True, slots=True)
class Rate:
    burst: int
    refill_per_minute: float

    @property
    def tokens_per_ms(self) -> float:
        return self.refill_per_minute / 60_000


def rate_of(scope: str) -> Rate:
    return Rate(**settings.THROTTLE_RATES[scope])


def take(*, scope: str, ident: str, rate: Rate) -> int:
    """Take one token: 0, or the milliseconds until there is one. Raises redis.RedisError."""
    key = f"zerohour:throttle:{scope}:{hashlib.sha256(ident.encode()).hexdigest()[:32]}"
    return int(
        _script_on(redis_client.client())(keys=[key], args=[rate.burst, repr(rate.tokens_per_ms)])
    )


@cache
def _script_on(client: redis.Redis) -> Script:
    return client.register_script(TAKE)


class LocalBuckets:
    """The same buckets in this process's memory, for when Redis is away."""

    MOST = 10_000  # a flood of addresses must not become a flood of memory

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, *, scope: str, ident: str, rate: Rate) -> int:
        with self._lock:
            now_ms = time.monotonic() * 1000
            if len(self._buckets) >= self.MOST:
                self._buckets.clear()
            tokens, at_ms = self._buckets.get((scope, ident), (float(rate.burst), now_ms))
            tokens = min(rate.burst, tokens + (now_ms - at_ms) * rate.tokens_per_ms)
            has_one = tokens >= 1
            self._buckets[scope, ident] = (tokens - 1 if has_one else tokens, now_ms)
        return 0 if has_one else math.ceil((1 - tokens) / rate.tokens_per_ms)


_local = LocalBuckets()


class BucketThrottle(BaseThrottle):
    """One bucket per `ident_of(request)`; None means the limit does not apply."""

    scope = ""

    def __init__(self) -> None:
        self._wait_ms = 0

    def ident_of(self, request: Request) -> str | None:
        raise NotImplementedError

    def address_of(self, request: Request) -> str:
        """The client's address; a server behind a socket file has none to tell apart."""
        return str(self.get_ident(request) or "no address")

    def without_redis(self, *, ident: str, rate: Rate) -> int:
        return _local.take(scope=self.scope, ident=ident, rate=rate)

    def allow_request(self, request: Request, view: APIView) -> bool:
        ident = self.ident_of(request)
        if ident is None:
            return True
        rate = rate_of(self.scope)
        try:
            self._wait_ms = take(scope=self.scope, ident=ident, rate=rate)
        except redis.RedisError as exc:
            logger.warning("the %s limit runs without Redis: %s", self.scope, exc)
            self._wait_ms = self.without_redis(ident=ident, rate=rate)
        return self._wait_ms == 0

    def wait(self) -> float:
        """Seconds until a token is there."""
        return self._wait_ms / 1000


class UserThrottle(BucketThrottle):
    """Per user; a request without a user counts against its address."""

    scope = "user"

    def ident_of(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else self.address_of(request)

    def without_redis(self, *, ident: str, rate: Rate) -> int:
        return 0


class AddressThrottle(BucketThrottle):
    """Per client address, on /auth/*."""

    scope = "auth_ip"

    def ident_of(self, request: Request) -> str | None:
        return self.address_of(request)


class AccountThrottle(BucketThrottle):
    """Per e-mail address in the body, on /auth/*: guesses from many addresses are still guesses."""

    scope = "auth_account"

    def ident_of(self, request: Request) -> str | None:
        email = request.data.get("email") if isinstance(request.data, dict) else None
        return email.strip().lower() if isinstance(email, str) else None
