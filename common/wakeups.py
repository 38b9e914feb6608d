"""Wake-ups over Redis: "there is something new". Losing one, or Redis, loses nothing.

Readers read the database; a wake-up only tells them not to wait any longer.
"""

from __future__ import annotations

import logging
import time

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

RETRY_AFTER_SECONDS = 5.0

log = logging.getLogger(__name__)


class Publisher:
    """Gives up quickly and tries again later, so whoever publishes never waits for Redis."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=0.5,
            socket_connect_timeout=0.5,
            retry=Retry(NoBackoff(), 1),  # the client's own would hold the caller up for seconds
        )
        self._silent_until = 0.0

    def publish(self, channel: str, message: str) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._client.publish(channel, message)
        except redis.RedisError as exc:
            self._silent_until = time.monotonic() + RETRY_AFTER_SECONDS
            log.warning("no wake-ups for %g s: %s", RETRY_AFTER_SECONDS, exc)


_of_this_process: Publisher | None = None


def publish(channel: str, message: str) -> None:
    """Publish through the one connection pool of this process."""
    global _of_this_process  # noqa: PLW0603  # made on first use: settings are there by then
    if _of_this_process is None:
        _of_this_process = Publisher(settings.REDIS_URL)
    _of_this_process.publish(channel, message)
