"""The demo bots over a whole synthetic day, in the engine and sandbox of a live session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from bots import demo
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape.model import Tape
from sessions.simulate import Setup, as_json, simulate
from simengine.policy import Policy, merged
from strategies.runtime.program import source_hash
from strategies.runtime.sandbox import Sandbox
from strategies.services import read_source

OUTCOMES = {"filled", "unfilled", "skipped", "blocked"}


@pytest.fixture(scope="module")
def tape() -> Tape:
    feed = SyntheticFeed(7, date(2026, 5, 7))
    return Tape(
        trading_date=feed.trading_date,
        open_at=feed.open_at,
        close_at=feed.close_at,
        ticks=list(feed.ticks(0)),
        settlement_cents=None,
        settlement_source="",
        source=feed.source,
        held_seconds=0,
        digest="7",
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(processes=1) as running:
        yield running


def ran(bot: demo.DemoBot, tape: Tape, sandbox: Sandbox) -> dict[str, Any]:
    program = read_source(**bot.strategy).program
    setup = Setup(
        source_hash=source_hash(program),
        strategy_name=bot.name,
        strategy=sandbox.strategy(program),
        policy=Policy.from_json(merged({}, bot.policy)),
        opening_balance_cents=bot.starting_capital_cents,
    )
    return as_json(simulate(tape, setup))


@pytest.mark.parametrize("bot", demo.BOTS, ids=lambda bot: bot.name)
def test_a_demo_bot_trades_a_whole_day_without_an_error(tape, sandbox, bot):
    day = ran(bot, tape, sandbox)

    assert day["session"]["status"] in {"completed", "halted"}
    assert day["session"]["error_count"] == 0
    assert {entry["outcome"] for entry in day["entries"]} <= OUTCOMES
    assert "filled" in {entry["outcome"] for entry in day["entries"]}
    assert {position["quantity"] for position in day["positions"]} == {"0"}
    assert "log" in {line["kind"] for line in day["decision_log"]}


def test_the_watcher_signals_its_fills(tape, sandbox):
    day = ran(demo.BOTS[2], tape, sandbox)

    fills = [line["data"]["kind"] for line in day["decision_log"] if line["name"] == "filled"]
    assert fills[0] == "opening"
