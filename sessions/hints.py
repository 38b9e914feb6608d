"""Hints to the workers that there is something to run. A hint may be lost, late or repeated.

Hints do not expire: expiry compares the sender's clock with the receiver's, and a worker whose
clock is an hour fast would throw every hint away. What keeps a queue that nobody reads from growing
is a look at its length.
"""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError
from redis import RedisError

from common import redis_client

RUN_SESSIONS = "sessions.tasks.run_sessions"
QUEUE = "sessions"
ENOUGH_HINTS = 20  # in the queue: there are no idle workers, and the watcher sends another
PATIENCE_SECONDS = 1.0  # whoever hints may be answering a client

log = logging.getLogger(__name__)


def hint_runners() -> None:
    """Ask for a runner. Without a broker the watchers and the runners at work find the session."""
    try:
        # A broker that is down or frozen is noticed here within a second; Celery would take longer.
        if int(redis_client.client().llen(QUEUE)) >= ENOUGH_HINTS:
            return
        with current_app.connection_for_write() as connection:
            connection.transport_options = {
                **connection.transport_options,
                "socket_timeout": PATIENCE_SECONDS,
                "socket_connect_timeout": PATIENCE_SECONDS,
            }
            current_app.send_task(
                RUN_SESSIONS, queue=QUEUE, ignore_result=True, retry=False, connection=connection
            )
    except (OperationalError, RedisError) as exc:
        log.warning("no hint sent: %s", exc)
