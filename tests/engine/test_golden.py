"""Stored days: whoever changes a byte of what the engine says sees it, and bumps its version."""

from __future__ import annotations

import json

import pytest

from simengine import ENGINE_VERSION
from tests.engine import golden


@pytest.mark.parametrize("name", sorted(golden.DAYS))
def test_a_stored_day_is_what_the_engine_says_today(name):
    stored = (golden.FOLDER / f"{name}.jsonl").read_text().splitlines()

    assert list(golden.lines_of(name)) == stored


def test_the_stored_days_belong_to_this_version_of_the_engine():
    stored = {name: (golden.FOLDER / f"{name}.jsonl").read_text() for name in golden.DAYS}

    assert json.loads(golden.DIGEST.read_text()) == golden.digest_of(stored), (
        f"the stored days changed: bump ENGINE_VERSION (it is {ENGINE_VERSION}) and run"
        " python -m tests.engine.golden --write"
    )


def test_the_stored_days_show_every_kind_of_event():
    seen = {
        event["kind"]
        for name in golden.DAYS
        for _, event in map(json.loads, golden.lines_of(name))
        if isinstance(event, dict) and "kind" in event
    }

    rare = {"tick_ignored", "stop_triggered", "rejected"}  # each has tests of its own
    assert golden.all_kinds() - seen <= rare
