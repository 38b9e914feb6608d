"""Warnings about settings that are allowed but probably not meant."""

from __future__ import annotations

from typing import Any

import pytest

from bots.linter import max_loss_cents, warnings_of
from simengine.policy import Policy, merged
from strategies.form import normalise

BALANCE = 2_500_000  # $25,000


def leg(direction: str, right: str, method: str, value: float, **more: Any) -> dict[str, Any]:
    strike = {"method": method, "value": value} | {k: v for k, v in more.items() if k == "from"}
    return {"direction": direction, "type": right, "qty": more.get("qty", 1), "strike": strike}


SPREAD = [
    leg("sell", "put", "delta", 0.30),
    leg("buy", "put", "offset", -25, **{"from": 0}),
]
CONDOR = [
    *SPREAD,
    leg("sell", "call", "delta", 0.15),
    leg("buy", "call", "offset", 50, **{"from": 2}),
]
TWO_DELTAS = [leg("sell", "put", "delta", 0.30), leg("buy", "put", "delta", 0.10)]
LONG_CALL = [leg("buy", "call", "delta", 0.50)]


def form(legs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    entry = {"time": "10:00", **more.pop("entry", {})}
    return normalise({"legs": legs, "entry": entry, **more})


def fields(policy: dict[str, Any] | None = None, **more: Any) -> list[str]:
    values: dict[str, Any] = {"balance_cents": BALANCE, "slippage_cents": 5, "config": form(SPREAD)}
    found = warnings_of(policy=Policy.from_json(merged({}, policy or {})), **(values | more))
    return [warning.field for warning in found]


@pytest.mark.parametrize(
    ("config", "expected_cents"),
    [
        (form(SPREAD), 250_000),  # 25 points × 100
        (form(SPREAD, sizing={"contracts": 3}), 750_000),
        (form(CONDOR), 500_000),  # the wider side: 50 points × 100
        (form(SPREAD, sizing={"risk_pct": 2}), 50_000),  # 2 % of 25,000
        (form(TWO_DELTAS), None),  # the width is the market's
        (form(LONG_CALL), None),
        (form(LONG_CALL, entry={"filters": {"max_debit": "4.00"}}), 40_000),
    ],
)
def test_the_most_an_entry_can_lose(config, expected_cents) -> None:
    assert max_loss_cents(config, BALANCE) == expected_cents


@pytest.mark.parametrize(
    ("ratio", "warns"),
    [("0.1000", False), ("0.0999", True)],  # 25,000 × 10 % is the spread's 2,500
)
def test_one_loss_above_the_daily_cap_is_warned_of(ratio, warns) -> None:
    assert ("max_daily_loss_pct" in fields({"max_daily_loss_pct": ratio})) == warns


@pytest.mark.parametrize(
    ("concession", "slippage_cents", "warns"),
    [("0.05", 5, False), ("0.00", 5, True), ("0.05", 10, True), ("0.00", 0, False)],
)
def test_a_concession_below_the_slippage_never_fills(concession, slippage_cents, warns) -> None:
    policy = {"reprice": {"opening": {"max_concession": concession}}}

    found = fields(policy, slippage_cents=slippage_cents)

    assert ("reprice.opening.max_concession" in found) == warns


def test_entries_that_never_concede_are_warned_of() -> None:
    assert "reprice.opening.enabled" in fields({"reprice": {"opening": {"enabled": False}}})


def test_market_entries_need_no_concession() -> None:
    config = form(SPREAD, entry={"order": "market"})

    found = fields({"reprice": {"opening": {"enabled": False}}}, config=config)

    assert "reprice.opening.enabled" not in found


def test_exits_that_are_not_repriced_are_dangerous() -> None:
    assert "reprice.closing.enabled" in fields({"reprice": {"closing": {"enabled": False}}})


@pytest.mark.parametrize(("threshold_ms", "warns"), [(1000, True), (1001, False)])
def test_a_threshold_within_the_feeds_cadence_is_warned_of(threshold_ms, warns) -> None:
    found = fields({"data_staleness_threshold_ms": threshold_ms})

    assert ("data_staleness_threshold_ms" in found) == warns


def test_of_a_program_only_what_the_policy_says_is_known() -> None:
    assert fields({"max_daily_loss_pct": "0.0050"}, config=None) == []
