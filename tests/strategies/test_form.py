"""The form's bounds, one by one, and its canonical shape."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.fields import plain, to_decimal
from strategies.form import InvalidForm, normalise
from strategies.templates import TEMPLATES

REMOVE = object()


def changed(form, path, value):
    """`form` with the value at "entry.filters.vix_max" or "legs.0.qty" replaced or removed."""
    *parents, last = path.split(".")
    holder = form
    for name in parents:
        holder = holder[int(name)] if isinstance(holder, list) else holder.setdefault(name, {})
    key = int(last) if isinstance(holder, list) else last
    if value is REMOVE:
        del holder[key]
    else:
        holder[key] = value
    return form


def problems(form):
    with pytest.raises(InvalidForm) as caught:
        normalise(form)
    return caught.value.problems


def test_the_contracts_form_is_canonical_but_for_what_it_leaves_out(form):
    assert normalise(form) == form


def test_a_minimal_form_gets_its_defaults():
    legs = [{"direction": "buy", "type": "call", "strike": {"method": "atm"}}]

    canonical = normalise({"legs": legs, "entry": {"time": "10:00"}})

    assert canonical == {
        "legs": [{"direction": "buy", "type": "call", "qty": 1, "strike": {"method": "atm"}}],
        "entry": {
            "times": ["10:00"],
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "order": "limit_mid",
            "filters": {},
        },
        "exit": {},
        "sizing": {"contracts": 1},
    }


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_every_canonical_form_is_its_own(template):
    canonical = normalise(template.config)

    assert normalise(canonical) == canonical


@pytest.mark.parametrize(
    ("path", "value", "canonical"),
    [
        ("entry.times", ["12:30:00", "10:00"], ["10:00", "12:30"]),
        ("entry.times", ["10:00:05"], ["10:00:05"]),
        ("entry.times", ["15:54:59", "09:30"], ["09:30", "15:54:59"]),
        ("entry.weekdays", ["fri", "mon"], ["mon", "fri"]),
        ("entry.weekdays", None, ["mon", "tue", "wed", "thu", "fri"]),
        ("entry.order", "market", "market"),
        ("entry.max_entries", "3", 3),
        ("entry.filters.min_credit", 0.5, "0.50"),
        ("entry.filters.min_credit", " 1 ", "1.00"),
        ("entry.filters.vix_max", "30.50", 30.5),
        ("entry.filters.vix_min", 0, 0),
        ("entry.filters.one_at_a_time", True, True),
        ("entry.filters.cooldown_after_loss_minutes", 390, 390),
        ("legs.0.strike.value", "0.01", 0.01),
        ("legs.0.strike.value", 0.99, 0.99),
        ("legs.0.qty", 1.0, 1),
        ("exit.profit_target_pct", "12.50", 12.5),
        ("exit.trailing_stop_pct", "20.00", 20),
        ("exit.touch_short_strike", True, True),
        ("sizing", {"risk_pct": "2.50"}, {"risk_pct": 2.5}),
        ("sizing", None, {"contracts": 1}),
    ],
)
def test_values_become_canonical(form, path, value, canonical):
    found = normalise(changed(form, path, value))

    for name in path.split("."):
        found = found[int(name)] if isinstance(found, list) else found[name]
    assert found == canonical
    assert type(found) is type(canonical)


def test_one_at_a_time_switched_off_is_the_same_as_left_out(form):
    off = changed(form, "entry.filters.one_at_a_time", False)

    assert "one_at_a_time" not in normalise(off)["entry"]["filters"]


@pytest.mark.parametrize(
    ("path", "value", "where", "why"),
    [
        ("legs", REMOVE, "legs", "1 to 8 legs"),
        ("legs", [], "legs", "1 to 8 legs"),
        ("legs", [{}] * 9, "legs", "1 to 8 legs"),
        ("legs", {"0": {}}, "legs", "1 to 8 legs"),
        ("legs.0", 3, "legs[0]", "must be an object"),
        ("legs.0", {}, "legs[0].direction", "sell, buy"),
        ("legs.0.direction", "hold", "legs[0].direction", "sell, buy"),
        ("legs.0.direction", ["sell"], "legs[0].direction", "sell, buy"),
        ("legs.1.type", "future", "legs[1].type", "put, call"),
        ("legs.0.qty", 0, "legs[0].qty", "whole number from 1 to 100"),
        ("legs.0.qty", 101, "legs[0].qty", "whole number from 1 to 100"),
        ("legs.0.qty", 1.5, "legs[0].qty", "whole number"),
        ("legs.0.qty", True, "legs[0].qty", "whole number"),
        ("legs.0.qty", "many", "legs[0].qty", "whole number"),
        ("legs.0.size", 3, "legs[0].size", "unknown field"),
        ("legs.0.strike", REMOVE, "legs[0].strike", "must be an object"),
        ("legs.0.strike.method", "best", "legs[0].strike.method", "delta, points_otm"),
        ("legs.0.strike.value", REMOVE, "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.value", 0.009, "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.value", 1, "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.value", 0.30001, "legs[0].strike.value", "at most 4 decimals"),
        ("legs.0.strike.value", "NaN", "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.value", "1e-1000000000", "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.value", [0.3], "legs[0].strike.value", "0.01 to 0.99"),
        ("legs.0.strike.from", 1, "legs[0].strike.from", "only an offset"),
        ("legs.0.strike", {"method": "atm", "value": 1}, "legs[0].strike.value", "takes no value"),
        (
            "legs.0.strike",
            {"method": "premium", "value": 0},
            "legs[0].strike.value",
            "0.01 to 1000",
        ),
        ("legs.0.strike", {"method": "em_multiple", "value": 6}, "legs[0].strike.value", "-5 to 5"),
        (
            "legs.0.strike",
            {"method": "points_otm", "value": 1001},
            "legs[0].strike.value",
            "-1000 to 1000",
        ),
        ("legs.1.strike.from", REMOVE, "legs[1].strike.from", "whole number from 0 to 7"),
        ("legs.1.strike.from", 1, "legs[1].strike.from", "another leg, 0 to 1"),
        ("legs.1.strike.from", 5, "legs[1].strike.from", "another leg, 0 to 1"),
        ("legs.1.strike.value", 0, "legs[1].strike.value", "share the put strike of leg 0"),
        (
            "legs.0.strike",
            {"method": "offset", "value": 25, "from": 1},
            "legs[0].strike.from",
            "circle",
        ),
        ("legs.0.qty", 2, "legs[0]", "sold 2, bought 1"),
        ("legs.1.type", "call", "legs[0]", "sold 1, bought 0"),
        ("legs.1.direction", "sell", "legs[0]", "sold 2, bought 0"),
        ("entry", REMOVE, "entry", "must be an object"),
        ("entry", "10:00", "entry", "must be an object"),
        ("entry.times", REMOVE, "entry.times", "1 to 50 New York times"),
        ("entry.times", [], "entry.times", "1 to 50 New York times"),
        ("entry.times", "10:00", "entry.times", "1 to 50 New York times"),
        ("entry.times", ["10:00"] * 51, "entry.times", "1 to 50 New York times"),
        ("entry.times", ["10:00", "10:00:00"], "entry.times[1]", "listed twice"),
        ("entry.times", ["10:00", "9:00"], "entry.times[1]", "HH:MM"),
        ("entry.times", [1000], "entry.times[0]", "HH:MM"),
        ("entry.times", ["10:60"], "entry.times[0]", "HH:MM"),
        ("entry.times", ["09:29:59"], "entry.times[0]", "inside the session"),
        ("entry.times", ["16:00"], "entry.times[0]", "inside the session"),
        ("entry.time", "10:00", "entry.time", "short form"),
        ("entry.weekdays", [], "entry.weekdays", "mon, tue"),
        ("entry.weekdays", ["sat"], "entry.weekdays", "mon, tue"),
        ("entry.weekdays", ["mon", "mon"], "entry.weekdays", "each once"),
        ("entry.weekdays", [["mon"]], "entry.weekdays", "mon, tue"),
        ("entry.order", "limit", "entry.order", "limit_mid, market"),
        ("entry.max_entries", 0, "entry.max_entries", "1 to 50"),
        ("entry.max_entries", 51, "entry.max_entries", "1 to 50"),
        ("entry.filters", [], "entry.filters", "must be an object"),
        ("entry.filters.moon", 1, "entry.filters.moon", "unknown field"),
        ("entry.filters.min_credit", 0, "entry.filters.min_credit", "0.01 to 1000"),
        ("entry.filters.min_credit", "0.505", "entry.filters.min_credit", "2 decimals"),
        ("entry.filters.max_debit", 3, "entry.filters.max_debit", "give one"),
        ("entry.filters.vix_max", 201, "entry.filters.vix_max", "0 to 200"),
        ("entry.filters.vix_min", 31, "entry.filters.vix_min", "must not be above vix_max (30)"),
        ("entry.filters.spot_move_max_pct", 0, "entry.filters.spot_move_max_pct", "0.01 to 100"),
        ("entry.filters.one_at_a_time", "yes", "entry.filters.one_at_a_time", "true or false"),
        (
            "entry.filters.cooldown_after_loss_minutes",
            391,
            "entry.filters.cooldown_after_loss_minutes",
            "1 to 390",
        ),
        ("exit.profit_target_pct", 0, "exit.profit_target_pct", "0.01 to 10000"),
        ("exit.stop_loss_pct", "2,5", "exit.stop_loss_pct", "0.01 to 10000"),
        ("exit.time", "16:00", "exit.time", "inside the session"),
        ("exit.time", "12:30", "exit.time", "after the last entry time, 12:30"),
        ("exit.trailing", 5, "exit.trailing", "unknown field"),
        ("exit.trailing_stop_pct", 0, "exit.trailing_stop_pct", "0.01 to 10000"),
        ("exit.trailing_stop_pct", True, "exit.trailing_stop_pct", "0.01 to 10000"),
        ("exit.trailing_start_pct", 30, "exit.trailing_start_pct", "needs trailing_stop_pct"),
        (
            "exit",
            {"trailing_stop_pct": 20, "trailing_start_pct": 10_001},
            "exit.trailing_start_pct",
            "0.01 to 10000",
        ),
        ("exit.touch_short_strike", "yes", "exit.touch_short_strike", "true or false"),
        ("exit", 5, "exit", "must be an object"),
        ("sizing.contracts", 0, "sizing.contracts", "1 to 1000"),
        ("sizing.contracts", 1001, "sizing.contracts", "1 to 1000"),
        ("sizing.risk_pct", 2, "sizing.risk_pct", "either contracts or risk_pct"),
        ("sizing", {"risk_pct": 0}, "sizing.risk_pct", "0.01 to 100"),
        ("sizing", {"risk_pct": 100.5}, "sizing.risk_pct", "0.01 to 100"),
        ("notes", "x", "notes", "unknown field"),
    ],
)
def test_each_rule_says_where_and_why(form, path, value, where, why):
    found = problems(changed(form, path, value))

    assert why in found[where][0]


def test_a_touch_of_the_short_strike_needs_a_sold_leg(form):
    bought = {"direction": "buy", "type": "put", "strike": {"method": "atm"}}
    form["legs"] = [bought]

    found = problems(changed(form, "exit.touch_short_strike", True))

    assert found == {"exit.touch_short_strike": ["needs a sold leg"]}


def test_a_touch_that_is_off_is_left_out(form):
    changed(form, "exit.touch_short_strike", False)

    assert "touch_short_strike" not in normalise(form)["exit"]


@pytest.mark.parametrize("config", [None, 3, "form", [], True])
def test_what_is_no_object_is_no_form(config):
    assert list(problems(config)) == ["config"]


def test_all_problems_are_told_at_once(form):
    changed(form, "legs.0.qty", 0)
    changed(form, "entry.order", "moon")
    changed(form, "sizing.contracts", 0)

    assert list(problems(form)) == ["legs[0].qty", "entry.order", "sizing.contracts"]


def test_a_market_naked_on_one_side_only_is_refused_on_that_side(form):
    form["legs"] += [
        {"direction": "sell", "type": "call", "strike": {"method": "delta", "value": 0.15}}
    ]

    assert list(problems(form)) == ["legs[2]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.sampled_from(["legs", "entry", "exit", "sizing"]), JSON)
def test_whatever_is_sent_is_a_form_or_refused(part, junk):
    base = {
        "legs": [{"direction": "buy", "type": "put", "strike": {"method": "atm"}}],
        "entry": {"time": "10:00"},
    }

    try:
        canonical = normalise({**base, part: junk})
    except InvalidForm as invalid:
        canonical, told = None, invalid.problems

    assert told if canonical is None else normalise(canonical) == canonical


@given(st.decimals(-10_000, 10_000, places=4))
def test_plain_numbers_mean_what_they_were(number):
    assert to_decimal(plain(number)) == Decimal(number)
    assert "E" not in plain(number)
