"""Log lines on stderr: for people, or JSON for machines (LOG_FORMAT=json).

Both come from the standard library's loggers and from structlog's. The launcher reads the form for
people: "2026-05-07T13:30:00.120Z info     sessions.runner: message".
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

# One line for every task received and every tick of beat would bury what happens.
QUIET_LOGGERS = (
    "celery.worker.strategy",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.request",
    "httpx",
    "kombu",
)
_OWN_KEYS = ("timestamp", "level", "logger", "event", "exception")


def without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """uvicorn gives each message a second time, with the colours of a terminal."""
    event.pop("color_message", None)
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    without_colours,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configuration(*, level: str, style: str) -> dict[str, Any]:
    """The LOGGING setting; also points structlog at the standard library's loggers."""
    structlog.configure(
        processors=[*_SHARED, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if style == "json" else for_people
    uvicorn = {"handlers": ["stderr"], "propagate": False, "level": level}
    quiet_level = max(logging.getLevelName(level), logging.WARNING)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "chosen": {
                "()": ProcessorFormatter,
                "processors": [
                    ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True, "level": level},
            # uvicorn brings handlers of its own, which these take the place of.
            "uvicorn": uvicorn,
            "uvicorn.access": uvicorn,
            **{name: {"level": quiet_level} for name in QUIET_LOGGERS},
        },
    }


def for_people(_logger: object, _method: str, event: EventDict) -> str:
    """Time, level, logger, message, then whatever else was given as key=value."""
    head = f"{event['timestamp']} {event['level']:<8} {event['logger']}: {event['event']}"
    rest = [f"{name}={value!r}" for name, value in event.items() if name not in _OWN_KEYS]
    line = " ".join([head, *rest])
    return f"{line}\n{event['exception']}" if event.get("exception") else line
