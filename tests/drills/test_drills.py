"""Every drill, as often as `bin/drill` does it: one system, one day an act, every row compared."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from launcher.drill import NOT_INHERITED
from launcher.paths import ROOT, VENV_PYTHON
from strategies.form import normalise
from tests.drills import bad_feed, day
from tests.drills.catalogue import BY_NAME, DRILLS
from tests.sessions import market

PATIENCE_SECONDS = 1_200


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `bin/drill` reports, by drill."""
    return drilled(tmp_path_factory.mktemp("drill"))


def drilled(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """A process of its own: it has another database than the tests. It runs as bin/drill does."""
    report = folder / "report.json"
    unset = [f"--unset={name}" for name in sorted(NOT_INHERITED)]
    command = ["env", *unset, "DJANGO_SETTINGS_MODULE=config.settings.base", str(VENV_PYTHON)]
    command += ["-m", "tests.drills", "--report", str(report), "--logs", str(folder / "logs")]
    told = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert report.exists(), told.stdout + told.stderr
    return {line["drill"]: line for line in json.loads(report.read_text())}


@pytest.mark.stack
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
@pytest.mark.parametrize("name", [drill.name for drill in DRILLS])
def test_whatever_is_done_to_the_system_every_row_is_the_undisturbed_one(lines, name):
    line = lines[name]

    assert line["words"] == []
    assert (line["count"], line["difference_count"]) == (BY_NAME[name].count, 0)
    assert line["fills"] > 0


@pytest.mark.stack
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_workers_did_lose_their_sessions(lines):
    assert lines["kill"]["takeovers"] >= BY_NAME["kill"].count


@pytest.mark.stack
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_a_runner_that_trusts_a_commit_without_an_answer_loses_rows(tmp_path):
    """The quickest of the controls; `bin/drill --controls` runs them all."""
    line = drilled(tmp_path, "--controls", "commit")["commit"]

    assert line["difference_count"] > 0


def test_a_night_of_drills_trades_all_day_within_what_a_form_may_have():
    for minutes in (day.MINUTES, day.WHOLE_DAY_MINUTES):
        made = day.strategies(minutes).values()
        configs = [strategy["config"] for strategy in made if "config" in strategy]

        assert all(normalise(config) for config in configs)
        assert all(config["entry"]["times"][-1] > "15:45" for config in configs)


def test_a_bad_feed_has_every_kind_of_fault_and_the_same_one_for_the_same_seed():
    ticks = [market.tick(seq) for seq in range(1, 501)]

    spoilt = bad_feed.spoilt(ticks, 3, 8)

    kinds = [kind for _, kind in bad_feed.places(len(ticks), 3, 8)]
    assert kinds == [*bad_feed.KINDS, *bad_feed.KINDS]
    assert repr(spoilt) == repr(bad_feed.spoilt(ticks, 3, 8))
    assert repr(spoilt) != repr(bad_feed.spoilt(ticks, 4, 8))
    times = [tick.at_ms for tick in spoilt]
    assert len(times) > len(set(times))  # repeated
    assert times != sorted(times)  # reordered
    assert any(tick.spot_cents == 2 * market.SPOT_CENTS for tick in spoilt)
    lost = {tick.at_ms for tick in ticks} - set(times)
    assert lost
    assert lost <= bad_feed.may_be_lost(ticks, 3, 8)
