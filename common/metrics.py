"""Numbers for Prometheus: what each process counts, and what is read from the database on a scrape.

With PROMETHEUS_MULTIPROC_DIR set (bin/up does) every process of a host writes its numbers to files
there and any of them can answer for all; without it a process knows its own only. Numbers that live
in the database are asked of it once per scrape: layers above register a reader at start-up.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

MULTIPROCESS_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if MULTIPROCESS_DIR:
    Path(MULTIPROCESS_DIR).mkdir(parents=True, exist_ok=True)  # before the client opens files there

from prometheus_client import (  # noqa: E402  the directory must be there
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

HTTP_REQUESTS = Counter(
    "zerohour_http_requests_total",
    "Answered requests by route, as the site spells it.",
    ["method", "route", "status"],
)
HTTP_SECONDS = Histogram(
    "zerohour_http_request_seconds",
    "Time until the answer began (a stream goes on after it).",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOB_SECONDS = Histogram(
    "zerohour_job_seconds",
    "How long runs of the scheduled jobs took.",
    ["job", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

Reader = Callable[[], Iterable[Metric]]
_readers: dict[str, Reader] = {}
log = logging.getLogger(__name__)


def register(name: str, reader: Reader) -> None:
    """Add a reader to every scrape, from an AppConfig.ready(); a known name is replaced."""
    _readers[name] = reader


def scrape() -> bytes:
    """Everything, in Prometheus' text format."""
    registry = of_this_host()
    registry.register(_Read())
    return generate_latest(registry)


def of_this_host() -> CollectorRegistry:
    """What its processes count, without what the database knows."""
    registry = CollectorRegistry()
    if MULTIPROCESS_DIR:
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    return registry


class _Read:
    """The readers' numbers, and which readers failed: a database that is down hides the others' no
    more than it must.
    """

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        works = GaugeMetricFamily(
            "zerohour_reader_up", "1 where this source could be read.", labels=["source"]
        )
        for name, reader in _readers.items():
            try:
                yield from list(reader())
                works.add_metric([name], 1)
            except Exception as exc:  # whatever it is, the scrape must say so and go on
                log.warning("the metrics of %s could not be read", name, exc_info=exc)
                works.add_metric([name], 0)
        yield works


def gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)


def gauges(
    name: str, says: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    """One gauge with one label."""
    family = GaugeMetricFamily(name, says, labels=[label])
    for value_of_label, value in values:
        family.add_metric([value_of_label], value)
    return family
