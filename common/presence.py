"""Which processes are there: each says so in Redis every few seconds. For people to look at only.

Who may run a session is the database's to say; nothing is decided by what stands here.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from common import redis_client

KEY = "zerohour:processes"  # a sorted set: what the process says, by when it said so last
EVERY_SECONDS = 5.0
GONE_AFTER_SECONDS = 15.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    kind: str  # the line of the Procfile
    host: str
    pid: int
    started_at: datetime  # wall clock, as is `seen_at`
    seen_at: datetime


def announce(kind: str) -> None:
    """Say from now on, in a thread of its own, that this process is there."""
    here = {
        "kind": kind,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started_at": time.time(),
    }
    member = json.dumps(here)
    threading.Thread(target=_repeat, args=(member,), name="presence", daemon=True).start()


def processes() -> list[Process]:
    """Those heard of lately, by kind. Raises redis.RedisError."""
    now = time.time()
    rows: Any = redis_client.client().zrangebyscore(
        KEY, now - GONE_AFTER_SECONDS, "+inf", withscores=True
    )
    found = [_process(json.loads(member), seen) for member, seen in rows]
    return sorted(found, key=lambda each: (each.kind, each.host, each.pid))


def _process(said: dict[str, Any], seen: float) -> Process:
    return Process(
        kind=said["kind"],
        host=said["host"],
        pid=said["pid"],
        started_at=datetime.fromtimestamp(said["started_at"], UTC),
        seen_at=datetime.fromtimestamp(seen, UTC),
    )


def _repeat(member: str) -> None:
    while True:
        say(member)
        time.sleep(EVERY_SECONDS)


def say(member: str) -> None:
    """Once; and forget who has been silent. Without Redis nothing is said."""
    now = time.time()
    try:
        with redis_client.client().pipeline() as pipe:
            pipe.zadd(KEY, {member: now})
            pipe.zremrangebyscore(KEY, "-inf", now - GONE_AFTER_SECONDS)
            pipe.execute()
    except redis.RedisError as exc:
        log.debug("not announced: %s", exc)
