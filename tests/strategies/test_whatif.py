"""What a form would open on one tick. Quotes of the hand-written market (tests/sessions/market.py):

put 5945: 3.00 x 3.10, put 5920: 0.50 x 0.60, spot 5950
the spread's mid: 3.05 - 0.55 = 2.50 credit; natural: 3.00 - 0.60 = 2.40
"""

from __future__ import annotations

from typing import Any

import pytest

from strategies.form import normalise
from strategies.whatif import NothingToOpen, what_if
from tests.sessions import market
from tests.sessions.conftest import SPREAD


def leg(direction: str, right: str, points_otm: int, qty: int = 1) -> dict[str, Any]:
    strike = {"method": "points_otm", "value": points_otm}
    return {"direction": direction, "type": right, "qty": qty, "strike": strike}


def on_the_chain(legs: list[dict[str, Any]], *, slippage_cents: int = 5, **more: Any):
    entry = {"time": "10:00", "order": more.pop("order", "limit_mid")}
    config = normalise({"legs": legs, "entry": entry, **more})
    return what_if(config, market.tick(1), balance_cents=2_500_000, slippage_cents=slippage_cents)


def test_a_credit_spread_is_priced_and_bounded() -> None:
    found = on_the_chain(SPREAD)

    assert [leg.strike for leg in found.legs] == [5945, 5920]
    assert (found.quoted_cents, found.price_cents) == (-250, -245)  # one slippage worse
    assert found.max_profit_cents == 24_500  # 2.45 × 100
    assert found.max_loss_cents == 225_500  # (25 - 2.45) × 100
    assert found.breakevens_cents == [594_255]  # 5945 - 2.45
    assert found.margin_cents == 250_000  # the width


def test_a_market_order_is_priced_at_the_natural() -> None:
    assert on_the_chain(SPREAD, order="market").price_cents == -240


@pytest.mark.parametrize(
    ("spot", "profit_cents"),
    [
        (6000, 24_500),
        (5945, 24_500),
        (5942.55, 0),
        (5940, -25_500),  # 2.45 - 5 = -2.55
        (5920, -225_500),
        (5000, -225_500),
    ],
)
def test_the_profit_at_the_close_is_a_line_between_the_strikes(spot, profit_cents) -> None:
    assert on_the_chain(SPREAD).profit_cents(round(spot * 100)) == profit_cents


def test_everything_grows_with_the_packages() -> None:
    found = on_the_chain(SPREAD, sizing={"contracts": 3})

    assert (found.contracts, found.max_loss_cents, found.margin_cents) == (3, 676_500, 750_000)
    assert found.breakevens_cents == [594_255]


@pytest.mark.parametrize(("percent", "contracts"), [(9.1, 1), (20, 2), (30, 3)])
def test_packages_fit_the_risk_at_the_natural_price(percent, contracts) -> None:
    # one package may lose 25 - 2.40 = 22.60, so $2,260 of $25,000 is 9.04 %
    assert on_the_chain(SPREAD, sizing={"risk_pct": percent}).contracts == contracts


def test_where_not_one_package_fits_the_risk_it_says_so() -> None:
    with pytest.raises(NothingToOpen, match=r"may lose \$2,260.00, more than 9 % of \$25,000.00"):
        on_the_chain(SPREAD, sizing={"risk_pct": 9})


def test_a_long_call_wins_without_bound_and_loses_its_price() -> None:
    found = on_the_chain([leg("buy", "call", 5)])

    # call 5955: 3.05 x 3.15 is 3.10 on the mid; above 3.00 the tick is 0.10
    assert found.max_profit_cents is None
    assert found.max_loss_cents == found.price_cents * 100
    assert found.breakevens_cents == [595_500 + found.price_cents]
    assert found.margin_cents == 0


def test_a_long_straddle_breaks_even_on_both_sides() -> None:
    found = on_the_chain([leg("buy", "call", 0), leg("buy", "put", 0)])

    low, high = found.breakevens_cents
    assert (low, high) == (595_000 - found.price_cents, 595_000 + found.price_cents)


def test_quantities_with_a_common_factor_are_priced_as_units() -> None:
    single = on_the_chain(SPREAD)
    double = on_the_chain([{**leg, "qty": 2} for leg in SPREAD])

    assert double.price_cents == single.price_cents
    assert double.max_loss_cents == 2 * single.max_loss_cents


def test_where_no_strike_is_found_it_says_why() -> None:
    with pytest.raises(NothingToOpen, match="no strike found for leg 0"):
        on_the_chain([leg("buy", "put", 900)])
