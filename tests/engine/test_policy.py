"""The policy's bounds, defaults and JSON form (contract.md section 4, the page "Create a bot")."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine.policy import ClosingReprice, OpeningReprice, Policy, PolicyError, merged

DEFAULTS = {
    "max_daily_loss_pct": "0.0500",
    "max_open_positions": 10,
    "max_open_orders": 10,
    "data_staleness_threshold_ms": 3000,
    "auto_pause_on_error": True,
    "error_budget": 5,
    "reprice": {
        "opening": {
            "enabled": True,
            "nudge_after_seconds": 20,
            "min_interval_seconds": 4,
            "flat_tolerance_ticks": 1,
            "max_concession": "0.20",
        },
        "closing": {
            "enabled": True,
            "nudge_after_seconds": 15,
            "min_interval_seconds": 4,
            "flat_tolerance_ticks": 1,
        },
    },
}


def test_an_empty_policy_has_the_defaults_of_the_page():
    assert Policy.from_json({}).as_json() == DEFAULTS


@pytest.mark.parametrize(
    ("field", "low", "high", "below", "above"),
    [
        ("max_daily_loss_pct", "0.0050", "0.5000", "0.0049", "0.5001"),
        ("max_open_positions", 1, 100, 0, 101),
        ("max_open_orders", 1, 50, 0, 51),
        ("data_staleness_threshold_ms", 500, 10_000, 499, 10_001),
        ("error_budget", 0, 100, -1, 101),
    ],
)
def test_a_guardrail_is_accepted_within_its_bounds_only(field, low, high, below, above):
    for value in (low, high):
        assert Policy.from_json({field: value}).as_json()[field] == value

    for value in (below, above, None, "many", True, [], 1.5):
        with pytest.raises(PolicyError) as refused:
            Policy.from_json({field: value})
        assert refused.value.path == field


@pytest.mark.parametrize("kind", ["opening", "closing"])
@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("nudge_after_seconds", 1, 600),
        ("min_interval_seconds", 1, 120),
        ("flat_tolerance_ticks", 1, 20),
    ],
)
def test_a_re_pricing_setting_is_accepted_within_its_bounds_only(kind, field, low, high):
    for value in (low, high):
        policy = Policy.from_json({"reprice": {kind: {field: value}}})
        assert policy.as_json()["reprice"][kind][field] == value

    for value in (low - 1, high + 1, 1.5, "x"):
        with pytest.raises(PolicyError) as refused:
            Policy.from_json({"reprice": {kind: {field: value}}})
        assert refused.value.path == f"reprice.{kind}.{field}"


@pytest.mark.parametrize(
    ("value", "cents"),
    [("0", 0), ("0.05", 5), ("0.20", 20), (0.1, 10), ("10", 1000), (Decimal("0.15"), 15)],
)
def test_the_concession_cap_is_a_multiple_of_five_cents(value, cents):
    policy = Policy.from_json({"reprice": {"opening": {"max_concession": value}}})

    assert policy.opening.max_concession_cents == cents


@pytest.mark.parametrize("value", ["0.01", "0.07", "10.05", "-0.05", "1e1", "NaN", "1,0", "", None])
def test_any_other_concession_cap_is_refused(value):
    with pytest.raises(PolicyError) as refused:
        Policy.from_json({"reprice": {"opening": {"max_concession": value}}})

    assert refused.value.path == "reprice.opening.max_concession"


def test_closing_has_no_cap_and_says_so():
    with pytest.raises(PolicyError, match="closing orders have no cap"):
        Policy.from_json({"reprice": {"closing": {"max_concession": "0.20"}}})


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"max_loss": 1}, "max_loss"),
        ({"reprice": {"both": {}}}, "reprice.both"),
        ({"reprice": {"opening": {"nudge": 1}}}, "reprice.opening.nudge"),
        ({"reprice": []}, "reprice"),
        ({"reprice": {"opening": 1}}, "reprice.opening"),
        ({"auto_pause_on_error": "yes"}, "auto_pause_on_error"),
        ({"reprice": {"closing": {"enabled": 1}}}, "reprice.closing.enabled"),
        ({"max_daily_loss_pct": "0.02001"}, "max_daily_loss_pct"),
    ],
)
def test_what_is_unknown_or_of_another_kind_is_refused_by_its_path(raw, path):
    with pytest.raises(PolicyError) as refused:
        Policy.from_json(raw)

    assert refused.value.path == path


def test_changes_are_laid_over_what_is_there_field_by_field():
    current = merged({}, {"max_open_orders": 3, "reprice": {"closing": {"enabled": False}}})

    changed = merged(current, {"reprice": {"opening": {"max_concession": "0.10"}}})

    assert changed["max_open_orders"] == 3
    assert changed["reprice"]["closing"]["enabled"] is False
    assert changed["reprice"]["opening"] == {
        **DEFAULTS["reprice"]["opening"], "max_concession": "0.10",
    }  # fmt: skip


policies = st.builds(
    Policy,
    max_daily_loss_e4=st.integers(50, 5000),
    max_open_positions=st.integers(1, 100),
    max_open_orders=st.integers(1, 50),
    data_staleness_threshold_ms=st.integers(500, 10_000),
    auto_pause_on_error=st.booleans(),
    error_budget=st.integers(0, 100),
    opening=st.builds(
        OpeningReprice,
        enabled=st.booleans(),
        nudge_after_seconds=st.integers(1, 600),
        min_interval_seconds=st.integers(1, 120),
        flat_tolerance_ticks=st.integers(1, 20),
        max_concession_cents=st.integers(0, 200).map(lambda ticks: ticks * 5),
    ),
    closing=st.builds(
        ClosingReprice,
        enabled=st.booleans(),
        nudge_after_seconds=st.integers(1, 600),
        min_interval_seconds=st.integers(1, 120),
        flat_tolerance_ticks=st.integers(1, 20),
    ),
)


@given(policies)
def test_a_policy_reads_back_from_its_json(policy):
    assert Policy.from_json(policy.as_json()) == policy


def test_a_policy_cannot_be_changed():
    with pytest.raises(AttributeError):
        Policy().error_budget = 6
