"""Whatever form passes the checks compiles, loads, and ends each entry in exactly one outcome."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.runtime.program import parse_program
from tests.strategies.market import closed_trade, order, trade, view

numbers = st.one_of(
    st.tuples(st.just("delta"), st.integers(1, 99).map(lambda n: n / 100)),
    st.tuples(st.just("points_otm"), st.integers(-60, 60)),
    st.tuples(st.just("premium"), st.integers(1, 900).map(lambda n: f"{n / 100:.2f}")),
    st.tuples(st.just("em_multiple"), st.integers(-150, 150).map(lambda n: n / 100)),
)
strikes = numbers.map(lambda pair: {"method": pair[0], "value": pair[1]}) | st.just(
    {"method": "atm"}
)


@st.composite
def legs(draw):
    """One to three covered pairs or long legs."""
    built = []
    for _ in range(draw(st.integers(1, 3))):
        kind, qty = draw(st.sampled_from(["put", "call"])), draw(st.integers(1, 3))
        first = {"type": kind, "qty": qty, "strike": draw(strikes)}
        if draw(st.booleans()):
            wing = draw(st.sampled_from([-25, -20, 5, 10, 30]))
            offset = {"method": "offset", "value": wing, "from": len(built)}
            cover = {"direction": "buy", "type": kind, "qty": qty, "strike": offset}
            built += [{**first, "direction": "sell"}, cover]
        else:
            built.append({**first, "direction": "buy"})
    return built


filters = st.fixed_dictionaries(
    {},
    optional={
        "vix_min": st.integers(0, 20),
        "vix_max": st.integers(20, 60),
        "spot_move_max_pct": st.integers(1, 300).map(lambda n: n / 100),
        "one_at_a_time": st.booleans(),
        "cooldown_after_loss_minutes": st.integers(1, 390),
        "min_credit": st.integers(1, 500).map(lambda n: n / 100),
    },
)
forms = st.fixed_dictionaries(
    {
        "legs": legs(),
        "entry": st.fixed_dictionaries(
            {"times": st.just(["10:00", "11:30:15"]), "filters": filters},
            optional={
                "weekdays": st.lists(
                    st.sampled_from(["mon", "wed", "thu"]), min_size=1, max_size=3, unique=True
                ),
                "order": st.sampled_from(["limit_mid", "market"]),
                "max_entries": st.integers(1, 3),
            },
        ),
    },
    optional={
        "exit": st.fixed_dictionaries(
            {},
            optional={
                "profit_target_pct": st.integers(1, 200),
                "stop_loss_pct": st.integers(1, 400),
                "trailing_stop_pct": st.integers(1, 300),
                "time": st.just("15:50"),
            },
        ),
        "sizing": st.integers(1, 5).map(lambda n: {"contracts": n})
        | st.integers(1, 50).map(lambda n: {"risk_pct": n}),
    },
)
accounts = st.sampled_from(
    [
        view(),
        view(trades=[trade()], closed_trades=[closed_trade()]),
        view(orders=[order()], vix_hundredths=None, expected_move_cents=None),
        view(chain={}),
    ]
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(forms, accounts)
def test_any_form_compiles_and_ends_each_entry_in_one_outcome(sandbox, form, account):
    canonical = normalise(form)
    text = compile_form(canonical)

    decision = sandbox.strategy(text).call("at", account, "10:00")

    outcomes = [action for action in decision.actions if action["do"] in ("open", "skip")]
    assert len(outcomes) == 1
    assert outcomes[0].get("reason", "opened")
    assert decision.actions[0]["do"] == "log"
    assert parse_program(text).hooks.times == (36_000, 41_415)
    assert compile_form(normalise(json.loads(json.dumps(canonical)))) == text
