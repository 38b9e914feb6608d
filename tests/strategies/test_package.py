"""Prices, risk and size of chosen legs, computed by hand; and that the engine agrees."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine import pricing
from simengine.market import CALL, PUT, Contract
from strategies.runtime.prelude import Ctx, buy, sell
from strategies.runtime.prelude.legs import common_factor, quoted_cents
from tests.strategies.market import view

CREDIT_SPREAD = [sell("put", strike=5930), buy("put", strike=5910)]


def select(*legs, **changes):
    return Ctx(view(**changes)).select(list(legs))


def test_the_mid_is_exact_and_signed():
    package = select(*CREDIT_SPREAD)

    assert package.mid_half_cents == -(160 + 170) + (30 + 40)
    assert package.natural_cents == -160 + 40
    assert (package.quoted_cents, package.credit, package.debit) == (-130, 1.30, 0)


def test_a_debit_package_has_a_debit_and_no_credit():
    package = select(buy("call", strike=5950), sell("call", strike=5975))

    assert (package.credit_cents, package.debit_cents) == (0, 800)


@pytest.mark.parametrize(
    ("mid_half_cents", "leg_count", "quoted"),
    [
        (275, 2, 140),  # 1.375: nearer to 1.40
        (255, 2, 130),  # 1.275, a tie: a higher debit
        (-255, 2, -125),  # a tie: a lower credit
        (254, 2, 125),
        (600, 1, 300),  # one leg, up to and including 3.00
        (601, 1, 300),  # above it the tick is 0.10
        (611, 1, 310),
        (-611, 1, -310),
        (0, 2, 0),
    ],
)
def test_the_quoted_mid_is_on_the_grid_and_a_tie_goes_against_the_order(
    mid_half_cents, leg_count, quoted
):
    assert quoted_cents(mid_half_cents, leg_count) == quoted


@given(st.integers(-20_000, 20_000), st.integers(1, 4))
def test_the_quoted_mid_is_the_engines(mid_half_cents, leg_count):
    legs = tuple(pricing.Leg(Contract(PUT, 590_000 + n), 1) for n in range(leg_count))

    assert quoted_cents(mid_half_cents, leg_count) == pricing.quoted_mid_cents(legs, mid_half_cents)


@pytest.mark.parametrize(
    ("legs", "loss"),
    [
        # width 20.00 less the credit at the natural price, 1.60 - 0.40
        (CREDIT_SPREAD, (2000 - 120) * 100),
        # a debit spread loses what it costs: 9.50 - 1.30
        ([buy("call", strike=5950), sell("call", strike=5975)], (950 - 130) * 100),
        # a long option its premium
        ([buy("put", strike=5950)], 690 * 100),
        # a condor one side's width only, less both credits: 20 - (1.60 - 0.40) - (2.05 - 0.40)
        (
            [*CREDIT_SPREAD, sell("call", strike=5970), buy("call", strike=5990)],
            (2000 - 120 - 165) * 100,
        ),
        # twice the quantity, twice the risk
        ([sell("put", 2, strike=5930), buy("put", 2, strike=5910)], 2 * (2000 - 120) * 100),
        # a cash-secured put can lose its strike
        ([sell("put", strike=5930)], (593_000 - 160) * 100),
        # a sold call without a bought one has no bound
        ([sell("call", strike=5970)], None),
        # broken wing: below 5900 it loses 2 × 20 - 10 - 30 + price; at 5900 the same
        (
            [buy("put", strike=5930), sell("put", 2, strike=5920), buy("put", strike=5900)],
            (1000 + 170 - 150 + 20) * 100,
        ),
    ],
)
def test_max_loss_is_the_worst_settlement_at_the_natural_price(legs, loss):
    assert select(*legs).max_loss_cents == loss


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.sampled_from(["put", "call"]),
            st.integers(1, 3),
            st.sampled_from([5900, 5910, 5920, 5930, 5950, 5970, 5990]),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda leg: (leg[1], leg[3]),
    ),
    st.integers(0, 800_000),
)
def test_no_settlement_loses_more_than_max_loss(rows, settles_at):
    package = select(
        *({"direction": d, "type": t, "qty": q, "strike": strike} for d, t, q, strike in rows)
    )

    value = sum(
        leg.signed_qty * max(0, (settles_at - leg.strike_cents) * (1 if leg.type == "call" else -1))
        for leg in package.legs
    )
    result = (value - package.natural_cents * package.units) * 100
    assert package.max_loss_cents is None or result >= -package.max_loss_cents


def test_prices_are_of_one_unit_and_the_ratios_too():
    package = select(sell("put", 4, strike=5930), buy("put", 2, strike=5910))

    assert package.units == 2
    assert package.ratios() == [["put", 593_000, -2], ["put", 591_000, 1]]
    assert package.mid_half_cents == -2 * 330 + 70


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_the_common_factor_divides_all_and_leaves_nothing_in_common(quantities):
    factor = common_factor(quantities)

    assert all(quantity % factor == 0 for quantity in quantities)
    assert common_factor([quantity // factor for quantity in quantities]) == 1


@pytest.mark.parametrize(
    ("risk_pct", "contracts"),
    [(5, 0), (7.51, 0), (7.52, 1), ("7.52", 1), (15.04, 2), (100, 13)],
)
def test_size_by_risk_never_risks_more_than_asked(risk_pct, contracts):
    # one package may lose 1880.00, the opening balance is 25000
    ctx = Ctx(view())

    assert ctx.contracts_for_risk(ctx.select(CREDIT_SPREAD), risk_pct) == contracts


def test_size_by_risk_stays_below_what_one_order_may_have():
    ctx = Ctx(view(opening_balance_cents=10**14))

    assert ctx.contracts_for_risk(ctx.select(CREDIT_SPREAD), 100) == 5000


def test_size_by_risk_of_nothing_found_is_none():
    ctx = Ctx(view(chain={}))

    assert ctx.contracts_for_risk(ctx.select(CREDIT_SPREAD), 5) == 0


def test_an_unbounded_risk_cannot_be_sized():
    ctx = Ctx(view())

    with pytest.raises(ValueError, match="not defined"):
        ctx.contracts_for_risk(ctx.select([sell("call", strike=5970)]), 5)


def test_the_explanation_has_the_rows_the_strikes_and_the_price():
    told = select(*CREDIT_SPREAD).explain()

    assert told["legs"] == ["sell 1 put 5930", "buy 1 put 5910"]
    assert told["looked_at"][1] == [
        [5900, 0.1, 0.2, 0.05],
        [5910, 0.3, 0.4, 0.1],
        [5920, 0.75, 0.85, 0.16],
    ]
    assert (told["mid"], told["natural"]) == ("-1.30", "-1.20")


def test_a_quote_is_found_by_strike_and_by_symbol():
    ctx = Ctx(view())
    symbol = Contract(CALL, 597_000).symbol(date(2026, 5, 7))

    assert ctx.quote("call", 5970).bid == ctx.quote(symbol).bid == 2.05
    assert ctx.quote("call", 5971) is None
    assert ctx.quote(Contract(CALL, 597_000).symbol(date(2026, 5, 8))) is None


def test_a_missing_side_is_none():
    missing = Ctx(view(chain={5950: ((-1, -1, -1), (0, 5, -1))})).quote("call", 5950)

    assert (missing.bid, missing.ask, missing.mid, missing.delta) == (None,) * 4
    assert not missing.is_two_sided


def test_find_answers_the_quote_of_one_leg():
    ctx = Ctx(view())

    assert ctx.find(sell("put", delta=0.25)).strike == 5930
    assert ctx.find(sell("put", points_otm=500)) is None
    with pytest.raises(ValueError, match="select"):
        ctx.find(sell("put", offset=-5, leg=0))
