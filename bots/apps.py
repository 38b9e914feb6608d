from __future__ import annotations

from django.apps import AppConfig


class BotsConfig(AppConfig):
    """Paper accounts that run sessions."""

    name = "bots"

    def ready(self) -> None:
        from bots.corrections import note_correction  # noqa: PLC0415  models are there only now
        from marketdata.settlement import settlement_entered  # noqa: PLC0415

        settlement_entered.connect(note_correction, dispatch_uid="bots.note_correction")
