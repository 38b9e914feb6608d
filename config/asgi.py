"""The ASGI entry point (uvicorn config.asgi:application)."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  they are there only now

from common import presence, priority  # noqa: E402
from config.handlers import Application  # noqa: E402

application = Application()
# What is there now stays for ever: the collector of garbage, which stops every request of the
# process while it looks, need not look through it.
gc.collect()
gc.freeze()

priority.give_way(settings.NICENESS, as_part_of_parent=True)  # of uvicorn, if it has several
presence.announce("web")
