"""Wake-ups between processes over Redis: hints only, so losing one, or Redis, costs a moment.

Runners wait for ticks and requests; streams wait for sessions that moved.
"""

from __future__ import annotations

import logging
import time
import uuid
from types import TracebackType
from typing import Self

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from common import wakeups
from marketdata.wakeups import DAYS_CHANNEL, TICKS_CHANNEL

MOVED_CHANNEL = "sessions:moved"  # without a payload: a commit moves thousands
ASKED_CHANNEL = "sessions:asked"  # a session was started or asked for something
POLL_SECONDS = 0.25  # how long a runner trusts silence
RETRY_AFTER_SECONDS = 5.0

log = logging.getLogger(__name__)


def publish_moved() -> None:
    wakeups.publish(MOVED_CHANNEL, "")


def publish_asked(session_id: uuid.UUID) -> None:
    wakeups.publish(ASKED_CHANNEL, str(session_id))


class Listener:
    """What a runner sleeps on between turns. Without Redis it is a plain short sleep."""

    def __init__(self) -> None:
        self._subscription: redis.client.PubSub | None = None
        self._retry_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def wait(self) -> None:
        """Return on the first wake-up, or after POLL_SECONDS."""
        try:
            subscription = self._connected()
            if subscription is not None:
                subscription.get_message(timeout=POLL_SECONDS)
                return
        except redis.RedisError as exc:
            log.warning("listening failed, polling for %g s: %s", RETRY_AFTER_SECONDS, exc)
            self._close()
            self._retry_at = time.monotonic() + RETRY_AFTER_SECONDS
        time.sleep(POLL_SECONDS)

    def _connected(self) -> redis.client.PubSub | None:
        if self._subscription is None and time.monotonic() >= self._retry_at:
            client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=2 * POLL_SECONDS,
                socket_connect_timeout=0.5,
                retry=Retry(NoBackoff(), 0),  # the client's own would hold the runner up
            )
            # redis leaves its own method without types.
            self._subscription = client.pubsub(  # type: ignore[no-untyped-call]
                ignore_subscribe_messages=True
            )
            self._subscription.subscribe(TICKS_CHANNEL, DAYS_CHANNEL, ASKED_CHANNEL)
        return self._subscription

    def _close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
