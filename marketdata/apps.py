from __future__ import annotations

from django.apps import AppConfig


class MarketdataConfig(AppConfig):
    """The market: its clock, its days and its ticks."""

    name = "marketdata"
    verbose_name = "market data"

    def ready(self) -> None:
        from common import health, metrics  # noqa: PLC0415  models are there only now
        from marketdata.metrics import read  # noqa: PLC0415
        from marketdata.queries import trouble  # noqa: PLC0415

        health.register("market", trouble)
        metrics.register("market", read)
