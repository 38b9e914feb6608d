"""The Celery application. Queues are routed in settings; tasks live in each app's tasks.py."""

import os
import warnings
from typing import Any

from celery import Celery, signals
from django.conf import settings

from common import presence, priority

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

app = Celery("zerohour")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# The line of the Procfile by the first word of the worker's name (-n sessions-1234@host).
KINDS = {"sessions": "worker-sessions", "default": "worker"}


def begin_worker(sender: Any = None, **_details: object) -> None:
    priority.give_way(settings.NICENESS)
    name = str(sender.hostname).partition("-")[0]
    presence.announce(KINDS.get(name, name))


def begin_beat(**_details: object) -> None:
    priority.give_way(settings.NICENESS)
    presence.announce("beat")


def keep_djangos_logging(**_details: object) -> None:
    """Celery configures no loggers of its own when somebody listens here (config/logs.py does)."""


# What it warns of is pickled messages; ours are JSON.
warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")
signals.worker_ready.connect(begin_worker)
signals.beat_init.connect(begin_beat)
signals.setup_logging.connect(keep_djangos_logging)
