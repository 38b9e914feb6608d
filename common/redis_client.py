"""The Redis of short questions: limits and readiness. It fails fast, for it decides nothing."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 0.5


@cache
def _client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # once: a pooled connection may be one the server has closed
    )


def client() -> redis.Redis:
    """One client (a thread-safe pool) per process and REDIS_URL. Raises redis.RedisError in use."""
    return _client_of(settings.REDIS_URL)
