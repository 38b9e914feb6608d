from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """One trading day of a bot. Django owns the label "sessions", so ours is "bot_sessions"."""

    name = "sessions"
    label = "bot_sessions"
    verbose_name = "bot sessions"
