"""The running system as its operators see it: /metrics, the log lines, who is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import promql_parser as promql
import pytest

from tests.flows.api import wait_until
from tests.flows.stack import Stack
from tests.operations.test_documents import expressions, selectors

pytestmark = pytest.mark.stack
FILLS = 'zerohour_session_events_total{kind="filled"}'
WATCHED = 'zerohour_job_seconds_count{job="sessions.tasks.watch",outcome="done"}'
OURS = ("sessions.", "marketdata.")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Trading, with every process heard of and every quick job done once."""
    with Stack(demo=True, speed=120, env={"LOG_FORMAT": "json"}) as running:
        wait_until(lambda: value(running, FILLS) > 0, "a fill")
        wait_until(lambda: min(values(running, "zerohour_processes")) > 0, "every process")
        wait_until(lambda: value(running, WATCHED) > 0, "a run of the watcher")
        yield running


def page(stack: Stack) -> str:
    return stack.get("/metrics")[1].decode()


def value(stack: Stack, sample: str) -> float:
    """0 where there is no such sample yet."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", page(stack), re.M)
    return float(found[1]) if found else 0.0


def values(stack: Stack, name: str) -> list[float]:
    found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page(stack), re.M)
    return [float(text) for text in found] or [0.0]


def lines(stack: Stack, process: str) -> list[dict]:
    """The log lines of our own loggers."""
    read = [json.loads(line) for line in stack.log(process).splitlines() if line.startswith("{")]
    return [line for line in read if line["logger"].startswith(OURS)]


def test_every_series_of_alerts_and_dashboard_is_there(stack):
    """By its name and, where it asks for certain kinds, statuses or jobs, for each of those."""
    asked = [each for expression in expressions() for each in selectors(expression)]
    asked = [each for each in asked if each.name != "up"]  # Prometheus' own
    samples = re.findall(r"^(zerohour_\w+)(?:{(.*)})? ", page(stack), re.M)

    missing = {
        f"{each.name}{{{wanted}}}"
        for each in asked
        for wanted in wanted_labels(each)
        if not any(name == each.name and wanted in labels for name, labels in samples)
    }

    assert len({each.name for each in asked}) > 20
    assert missing == set()


def wanted_labels(asked: promql.VectorSelector) -> list[str]:
    """As they stand in a sample; [""] for a series without conditions."""
    found = [
        f'{matcher.name}="{value}"'
        for matcher in asked.matchers.matchers
        for value in matcher.value.split("|")
        if not (asked.name.startswith("zerohour_http_") and matcher.name == "status")  # of failures
    ]
    return found or [""]


def test_what_the_workers_counted_is_on_the_page_of_the_web_process(stack):
    assert value(stack, "zerohour_session_ticks_total") > 0
    assert value(stack, "zerohour_commit_seconds_count") > 0
    assert value(stack, 'zerohour_sessions{status="running"}') > 0
    assert value(stack, WATCHED) > 0


def test_a_well_system_reads_well(stack):
    assert set(values(stack, "zerohour_reader_up")) == {1.0}
    assert set(values(stack, "zerohour_ready")) == {1.0}
    assert value(stack, "zerohour_unowned_sessions") == 0
    assert value(stack, "zerohour_feed_age_seconds") < 5


def test_every_line_of_the_runner_and_the_market_says_whose_it_is(stack):
    runner_lines = lines(stack, "worker-sessions")
    market_lines = lines(stack, "market")

    assert runner_lines
    assert market_lines
    assert all("owner" in line for line in runner_lines)
    assert all("trading_date" in line and "tick_seq" in line for line in market_lines)
