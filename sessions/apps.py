from __future__ import annotations

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """One trading day of a bot. Django owns the label "sessions", so ours is "bot_sessions"."""

    name = "sessions"
    label = "bot_sessions"
    verbose_name = "bot sessions"

    def ready(self) -> None:
        from common import metrics  # noqa: PLC0415  models are there only now
        from sessions.metrics import read  # noqa: PLC0415

        metrics.register("sessions", read)
