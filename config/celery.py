"""The Celery application. Queues are routed in settings; tasks live in each app's tasks.py."""

import os
import warnings

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

app = Celery("zerohour")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def keep_djangos_logging(**_details: object) -> None:
    """Celery configures no loggers of its own when somebody listens here (config/logs.py does)."""


# What it warns of is pickled messages; ours are JSON.
warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")
signals.setup_logging.connect(keep_djangos_logging)
