"""`bin/manage simulate` as a person calls it, and what a live session has in common with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from launcher.paths import ROOT
from tests.flows.api import Ran
from tests.flows.contract import ROLL_UP

# What depends on who ran it, and when by the wall's clock; the status rows of `events` tell how a
# session was started.
IDS = {"id", "order_id"}
OF_SESSION = (
    *("date", "status", "status_reason", "opening_balance", "policy", "fee_schedule", "slippage"),
    *("started_at", "ended_at", "settled_at", "last_tick_at", "tick_count", "error_count"),
    *ROLL_UP,
)


def simulate(
    tape: Path, strategy: dict[str, Any], folder: Path, policy: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The document of one day with 25,000 dollars. `strategy` as it is saved: config or program."""
    if "config" in strategy:
        source = folder / "form.json"
        source.write_text(json.dumps(strategy["config"]))
    else:
        source = folder / "program.py"
        source.write_text(strategy["program"])
    given = folder / "policy.json"
    given.write_text(json.dumps(policy or {}))
    command = ["simulate", "--tape", str(tape), "--strategy", str(source), "--policy", str(given)]
    done = subprocess.run(
        [ROOT / "bin" / "manage", *command, "--json", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def common_of_live(ran: Ran) -> dict[str, Any]:
    return _common(
        session=ran.session,
        orders=ran.orders,
        positions=ran.positions,
        transactions=ran.transactions,
        decision_log=ran.decisions,
        events=ran.events,
        financials=ran.financials,
        entries=ran.entries,
    )


def common_of_simulated(document: dict[str, Any]) -> dict[str, Any]:
    names = ("orders", "positions", "transactions", "decision_log", "events", "financials")
    return _common(
        session=document["session"],
        entries=document["entries"],
        **{name: document[name] for name in names},
    )


def _common(*, session: dict[str, Any], **rows: list[dict[str, Any]]) -> dict[str, Any]:
    place = {row["id"]: number for number, row in enumerate(rows["orders"], start=1)}
    rows["events"] = [row for row in rows["events"] if row["kind"] != "status"]
    return {
        "session": {name: session[name] for name in OF_SESSION},
        **{name: [_plain(row, place) for row in values] for name, values in rows.items()},
    }


def _plain(value: Any, place: dict[str, int]) -> Any:
    """The row with its orders by their place in the list instead of by id."""
    if isinstance(value, list):
        return [_plain(item, place) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _plain(item, place) for name, item in value.items() if name not in IDS}
    if value.get("order_id") is not None:
        plain["order"] = place[value["order_id"]]
    return plain
