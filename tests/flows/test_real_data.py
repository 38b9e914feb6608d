"""The recorded afternoon of 2025-05-15 through the real system, against answers known beforehand.

Entered by forms at the snapshot of 13:00:17 at the natural price and held to the official close of
5916.93. Fees: 1.72 a leg, 5.00 for each leg that settles in the money.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bots.demo import PUT_SPREAD_FORM, WATCHER_PROGRAM
from tests.flows.api import Api, Ran
from tests.flows.forms import leg, wing
from tests.flows.simulated import common_of_live, common_of_simulated, simulate
from tests.flows.stack import Stack
from tests.marketdata.real_data import CHAIN, needs_real_data

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), needs_real_data]
DAY = "2025-05-15"
ALICE = "alice@example.com"


def held(*legs: dict[str, Any]) -> dict[str, Any]:
    return {"config": {"legs": list(legs), "entry": {"times": ["13:00:17"], "order": "market"}}}


# Spot is 5916.20. Quotes bid/ask at 13:00:17: P5880 1.25/1.30, P5890 2.05/2.15, P5895 2.70/2.80,
# P5910 6.30/6.50, P5915 8.30/8.40, P5920 10.80/11.00, C5915 9.60/9.80, C5925 5.10/5.20,
# C5935 2.45/2.50, C5940 1.65/1.70, C5950 0.75/0.80.
KNOWN: dict[str, tuple[dict[str, Any], str, str, str]] = {  # strategy, price, fees, total
    # 2.05 + 1.65 - 1.30 - 0.80 = 1.60; all expire: 160.00 - 4 × 1.72
    "iron condor 5880/5890/5940/5950": (
        held(
            leg("sell", "put", "points_otm", 26),
            wing("buy", "put", -10, 0),
            leg("sell", "call", "points_otm", 24),
            wing("buy", "call", 10, 2),
        ),
        "1.60",
        "6.88",
        "153.12",
    ),
    # 8.30 + 9.60 - 2.80 - 2.50 = 12.60; C5915 is 1.93 in the money: 1260 - 193 - 6.88 - 5.00
    "iron fly 5895/5915/5935": (
        held(
            leg("sell", "put", "atm"),
            wing("buy", "put", -20, 0),
            leg("sell", "call", "atm"),
            wing("buy", "call", 20, 2),
        ),
        "12.60",
        "11.88",
        "1055.12",
    ),
    # 9.80 - 5.10 = 4.70; worth 1.93: 193 - 470 - 3.44 - 5.00
    "call debit 5915/5925": (
        held(leg("buy", "call", "atm"), wing("sell", "call", 10, 0)),
        "4.70",
        "8.44",
        "-285.44",
    ),
    # 11.00 - 6.30 = 4.70; worth 3.07: 307 - 470 - 3.44 - 5.00
    "put debit 5920/5910": (
        held(leg("buy", "put", "points_otm", -4), wing("sell", "put", -10, 0)),
        "4.70",
        "8.44",
        "-171.44",
    ),
}
# Strategies that do more: limits that are re-priced, exits, a program that logs and signals.
LIVELY = {"put spreads": {"config": PUT_SPREAD_FORM}, "watcher": {"program": WATCHER_PROGRAM}}


@pytest.fixture(scope="module")
def until_close(folder: Path) -> tuple[int, str]:
    """`bin/up --tape … --until-close` with a bot for each: its exit status and what it printed."""
    with Stack(
        tape=CHAIN,
        speed=1000,
        data=folder / "data",
        until_close=True,
        market_options="--lead-seconds 20",
    ) as stack:
        api = Api.signed_up(stack, ALICE)
        strategies = {name: known[0] for name, known in KNOWN.items()} | LIVELY
        for name, strategy in strategies.items():
            api.make_bot(name, strategy, schedule={"auto_start": True})
        assert not api.has_opened(), "the bots came too late; give the market a longer lead"
        return stack.wait(120), stack.output()


@pytest.fixture(scope="module")
def days(folder: Path, until_close: tuple[int, str]) -> dict[str, Ran]:
    """Every session of that day, read from the next start on the same directory."""
    with Stack(tape=CHAIN, data=folder / "data") as stack:
        api = Api.signed_in(stack, ALICE)
        return {bot["name"]: api.settled(bot["id"], DAY) for bot in api.get("/bots")}


def test_until_close_ends_with_the_table_of_the_day(until_close):
    status, output = until_close

    assert status == 0
    assert f"{DAY}, settled at 5916.93" in output
    for name, (_, _, fees, total) in KNOWN.items():
        [row] = [line for line in output.splitlines() if name in line]
        cells = [cell.strip() for cell in row.split("│")[3:8]]
        assert cells == ["completed", "1", "1", fees, total]


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_position_comes_to_the_known_answer(days, name):
    _, price, _, total = KNOWN[name]
    ran = days[name]

    [order] = ran.orders
    strikes = sorted({int(each["instrument"][13:18]) for each in order["legs"]})
    assert strikes == [int(word) for word in sorted(name.split()[-1].split("/"))]
    assert (order["fill_price"], order["fill_datetime"]) == (price, "2025-05-15T17:00:18.000Z")
    assert (ran.session["status"], ran.session["total_pl"]) == ("completed", total)


@pytest.mark.parametrize("name", KNOWN)
def test_simulate_comes_to_the_known_answer(name, tmp_path):
    strategy, price, _, total = KNOWN[name]

    document = simulate(CHAIN, strategy, tmp_path)

    assert document["tape"]["settlement_source"] == "official"
    assert document["session"]["total_pl"] == total
    assert [order["fill_price"] for order in document["orders"]] == [price]


@pytest.mark.parametrize("name", LIVELY)
def test_a_live_session_is_what_simulate_says_row_by_row(days, name, tmp_path):
    live = common_of_live(days[name])

    simulated = common_of_simulated(simulate(CHAIN, LIVELY[name], tmp_path))

    assert live["orders"]
    assert live["decision_log"]
    # A tick for each second from 13:00:17 on, and those held after the lone one of 12:26:16.
    assert len(live["financials"]) > 10_000
    for what, rows in simulated.items():
        assert live[what] == rows, what
