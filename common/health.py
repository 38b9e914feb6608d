"""What must work before we say we are ready. Layers above register their own checks at start-up."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.db import DatabaseError, connection

from common import redis_client
from common.errors import Unavailable

logger = logging.getLogger(__name__)

# None when all is well, else one sentence. An exception counts as trouble and is logged.
Check = Callable[[], str | None]

_checks: dict[str, Check] = {}


class NotReady(Unavailable):
    code = "not_ready"


def register(name: str, check: Check) -> None:
    """Add a check to GET /ready, from an AppConfig.ready(); a known name is replaced."""
    _checks[name] = check


def names() -> list[str]:
    """Of all checks, in the order they were registered."""
    return list(_checks)


def troubles() -> dict[str, str]:
    """What is down, by name of the check; empty when we are ready."""
    found = {name: _trouble(name, check) for name, check in _checks.items()}
    return {name: trouble for name, trouble in found.items() if trouble is not None}


def check_ready() -> list[str]:
    """The names of the checks that passed. NotReady, naming what is down, if one did not."""
    down = troubles()
    if down:
        sentence = "; ".join(f"{name}: {trouble}" for name, trouble in down.items())
        raise NotReady(
            f"Not ready: {sentence}.", fields={name: [trouble] for name, trouble in down.items()}
        )
    return names()


def _trouble(name: str, check: Check) -> str | None:
    try:
        return check()
    except Exception as exc:  # a broken check must not hide the others
        logger.warning("the check %s failed", name, exc_info=exc)
        return f"the check failed ({type(exc).__name__})"


def _database() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        logger.warning("the database does not answer: %s", exc)
        return "does not answer"
    return None


def _redis() -> str | None:
    try:
        redis_client.client().ping()
    except redis.RedisError as exc:
        logger.warning("Redis does not answer: %s", exc)
        return "does not answer"
    return None


register("database", _database)
register("redis", _redis)
