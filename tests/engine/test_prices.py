"""Prices: each rule of domain.md section 2 with its arithmetic. Signed: paid is positive."""

from __future__ import annotations

import pytest

from simengine.market import MISSING
from simengine.packages import Package, leg_prices, quote_package
from simengine.pricing import (
    PackageQuote,
    down_to_grid,
    execution_cents,
    is_on_grid,
    quoted_mid_cents,
    tick_cents,
    up_to_grid,
)
from tests.engine.builders import legs, make_tick

ONE_LEG = legs(P5950=1)
SPREAD = legs(P5950=-1, P5945=1)


@pytest.mark.parametrize(
    ("package", "price_cents", "tick"),
    [
        (ONE_LEG, 5, 5),
        (ONE_LEG, 295, 5),
        (ONE_LEG, 300, 5),  # up to and including $3.00
        (ONE_LEG, 301, 10),
        (ONE_LEG, 310, 10),
        (ONE_LEG, -300, 5),  # a credit has the grid of its amount
        (ONE_LEG, -310, 10),
        (SPREAD, 300, 5),
        (SPREAD, 1000, 5),  # several legs: always 5
        (SPREAD, -1000, 5),
    ],
)
def test_the_tick_depends_on_the_price_of_one_leg_and_is_five_for_several(
    package, price_cents, tick
):
    assert tick_cents(package, price_cents) == tick


@pytest.mark.parametrize(
    ("package", "price_cents", "fits"),
    [
        (ONE_LEG, 295, True),
        (ONE_LEG, 305, False),
        (ONE_LEG, 310, True),
        (ONE_LEG, -305, False),
        (ONE_LEG, 3, False),
        (SPREAD, 305, True),
        (SPREAD, -305, True),
        (SPREAD, -302, False),
    ],
)
def test_a_price_is_on_the_grid_when_it_is_a_multiple_of_its_tick(package, price_cents, fits):
    assert is_on_grid(package, price_cents) is fits


@pytest.mark.parametrize(
    ("package", "price_cents", "down", "up"),
    [
        (ONE_LEG, 303, 300, 310),
        (ONE_LEG, 315, 310, 320),
        (ONE_LEG, -303, -310, -300),  # down is better for us: a higher credit
        (SPREAD, 303, 300, 305),
        (SPREAD, -303, -305, -300),
        (SPREAD, 305, 305, 305),
    ],
)
def test_rounding_to_the_grid_goes_down_for_us_and_up_toward_the_market_maker(
    package, price_cents, down, up
):
    assert (down_to_grid(package, price_cents), up_to_grid(package, price_cents)) == (down, up)


@pytest.mark.parametrize(
    ("ratios", "mid_half_cents", "natural_cents"),
    [
        # one leg: (615 + 625) / 2 = 620.0; bought at the ask, sold at the bid
        ({"P5950": 1}, 1240, 625),
        ({"P5950": -1}, -1240, -615),
        # credit spread: -620 + 440 = -180.0; sold at 615, bought at 445
        ({"P5950": -1, "P5945": 1}, -360, -615 + 445),
        # debit spread: the other way round
        ({"P5950": 1, "P5945": -1}, 360, 625 - 435),
        # condor 5940/5945 5955/5960: +300 - 440 - 380 + 220 = -300.0
        ({"P5940": 1, "P5945": -1, "C5955": -1, "C5960": 1}, -600, 305 - 435 - 375 + 225),
        # ratios multiply: 2 × 220 - 380 = +60.0
        ({"C5960": 2, "C5955": -1}, 120, 2 * 225 - 375),
    ],
)
def test_a_package_mid_and_natural_are_sums_over_legs(ratios, mid_half_cents, natural_cents):
    quote = quote_package(legs(**ratios), make_tick(), opening=True)

    assert quote == PackageQuote(mid_half_cents, natural_cents)


def test_a_leg_mid_keeps_its_half_cent():
    quote = quote_package(legs(P5950=1), make_tick(quotes={"P5950": (610, 615)}), opening=True)

    assert quote == PackageQuote(610 + 615, 615)  # 612.5 cents


@pytest.mark.parametrize(
    ("package", "mid_half_cents", "quoted_cents"),
    [
        # several legs, tick 5; half-cents on the left
        (SPREAD, 360, 180),
        (SPREAD, 364, 180),  # 182.0
        (SPREAD, 365, 185),  # 182.5 is a tie: a higher debit
        (SPREAD, 366, 185),  # 183.0
        (SPREAD, -364, -180),
        (SPREAD, -365, -180),  # 182.5 received is a tie: a lower credit
        (SPREAD, -366, -185),
        (SPREAD, 5, 5),  # 2.5: a tie
        (SPREAD, 4, 0),
        (SPREAD, -5, 0),  # a credit of 2.5: a tie, nothing is left
        (SPREAD, -6, -5),
        (SPREAD, 0, 0),
        # one leg up to and including $3.00: tick 5
        (ONE_LEG, 595, 300),  # 297.5: a tie
        (ONE_LEG, 594, 295),
        (ONE_LEG, 600, 300),
        (ONE_LEG, -595, -295),
        # one leg above $3.00: tick 10
        (ONE_LEG, 601, 300),  # 300.5
        (ONE_LEG, 605, 300),  # 302.5: nearer to 3.00 than to 3.10
        (ONE_LEG, 610, 310),  # 305.0: a tie
        (ONE_LEG, 609, 300),
        (ONE_LEG, -610, -300),  # 305.0 received: a lower credit
        (ONE_LEG, -611, -310),
        (ONE_LEG, 1230, 620),  # 615.0: a tie
    ],
)
def test_the_quoted_mid_is_the_raw_mid_on_the_tick_with_ties_against_the_order(
    package, mid_half_cents, quoted_cents
):
    assert quoted_mid_cents(package, mid_half_cents) == quoted_cents


@pytest.mark.parametrize(
    ("package", "mid_half_cents", "natural_cents", "slippage_cents", "execution"),
    [
        (SPREAD, 360, 190, 5, 185),  # debit: mid 180, five cents more
        (SPREAD, -360, -170, 5, -175),  # credit: mid 180, five cents less
        (SPREAD, 360, 185, 5, 185),  # exactly natural
        (SPREAD, 360, 182, 5, 182),  # never worse than natural
        (SPREAD, -360, -179, 5, -179),
        (SPREAD, 365, 190, 5, 190),  # the quoted mid is worsened: 182.5 -> 185 -> 190
        (SPREAD, -365, -170, 5, -175),  # 182.5 -> 180 -> 175
        (SPREAD, 360, 200, 0, 180),  # no slippage: the quoted mid itself
        (SPREAD, 360, 200, 3, 183),  # any whole number of cents
        (SPREAD, 360, 180, 5, 180),  # locked: mid = natural
        (ONE_LEG, 1240, 625, 5, 625),
        (ONE_LEG, 1240, 640, 5, 625),  # 620 + 5: off the 10-cent grid, as computed
        (ONE_LEG, -4, 0, 5, 0),
    ],
)
def test_the_execution_price_is_the_quoted_mid_worsened_once_but_never_past_natural(
    package, mid_half_cents, natural_cents, slippage_cents, execution
):
    quote = PackageQuote(mid_half_cents, natural_cents)

    assert execution_cents(package, quote, slippage_cents) == execution


def test_the_execution_price_is_never_better_than_the_near_side():
    # A quote finer than the tick, 3.02 / 3.03: the mid 3.025 rounds to 3.00, below the bid.
    quote = quote_package(ONE_LEG, make_tick(quotes={"P5950": (302, 303)}), opening=True)

    assert quote is not None
    assert quote.near_cents == 302
    assert execution_cents(ONE_LEG, quote, 0) == 302


NOTHING = (MISSING, MISSING)


@pytest.mark.parametrize(
    ("ratios", "opening", "quotes", "usable"),
    [
        ({"P5950": 1}, True, {"P5950": (MISSING, 625)}, False),
        ({"P5950": 1}, True, {"P5950": (615, MISSING)}, False),
        ({"P5950": 1}, True, {"P5950": NOTHING}, False),
        ({"P5950": 1}, True, {"P5950": (626, 625)}, False),  # crossed
        ({"P5950": 1}, True, {"P5950": (625, 625)}, True),  # locked
        # a bid of 0: fine for a bought leg and for one sold to close, not for one sold to open
        ({"P5935": 1}, True, {"P5935": (0, 5)}, True),
        ({"P5935": -1}, True, {"P5935": (0, 5)}, False),
        ({"P5935": -1}, False, {"P5935": (0, 5)}, True),
        ({"P5935": 1}, False, {"P5935": (0, 5)}, True),
        # one unusable leg is enough
        ({"P5950": -1, "P5935": 1}, True, {"P5935": NOTHING}, False),
        ({"P5950": -1, "C5965": -1}, True, {"C5965": (0, 5)}, False),
    ],
)
def test_a_package_has_a_quote_only_if_every_leg_is_usable(ratios, opening, quotes, usable):
    quote = quote_package(legs(**ratios), make_tick(quotes=quotes), opening=opening)

    assert (quote is not None) is usable


def test_a_leg_sold_to_close_into_a_bid_of_zero_gives_nothing():
    tick = make_tick(quotes={"P5935": (0, 5)})

    assert quote_package(legs(P5935=-1), tick, opening=False) == PackageQuote(-5, 0)


def test_a_package_finds_its_rows_again_when_the_strikes_change():
    package = Package(legs(P5950=-1, C5955=1))
    shorter = {"P5950": (600, 610), "C5955": (300, 310)}

    before = package.quote(make_tick(), opening=True)
    on_other_strikes = package.quote(make_tick(chain=shorter), opening=True)
    without_a_strike = package.quote(make_tick(chain={"P5950": (600, 610)}), opening=True)
    after = package.quote(make_tick(), opening=True)

    assert before == after == PackageQuote(-1240 + 760, -615 + 385)
    assert on_other_strikes == PackageQuote(-1210 + 610, -600 + 310)
    assert without_a_strike is None


@pytest.mark.parametrize(
    ("ratios", "fill_cents", "prices"),
    [
        # at natural: every leg at its far side
        ({"P5950": -1, "P5945": 1}, -170, [61500, 44500]),
        # at -175: mids 620 and 440 make -180; the 5 cents are taken from the dearest leg
        ({"P5950": -1, "P5945": 1}, -175, [61500, 44000]),
        # at the mid: every leg at its mid
        ({"P5950": -1, "P5945": 1}, -180, [62000, 44000]),
        # 7 cents: 5 until the dearest leg stands at its ask, 2 from the other
        ({"P5950": 1, "P5945": -1}, 187, [62500, 43800]),
        # the smallest ratio comes first: C5955 gives 5 of the 5 cents
        ({"C5960": 2, "C5955": -1}, 65, [22000, 37500]),
        # 7 cents: 5 from C5955 until it stands at its bid, 2 × 1 from C5960
        ({"C5960": 2, "C5955": -1}, 67, [22100, 37500]),
    ],
)
def test_legs_are_booked_between_their_own_bid_and_ask_and_sum_to_the_fill(
    ratios, fill_cents, prices
):
    package, tick = legs(**ratios), make_tick()
    quote = quote_package(package, tick, opening=True)

    booked = leg_prices(package, tick, fill_cents, quote)

    assert booked == prices
    assert sum(leg.ratio * price for leg, price in zip(package, booked, strict=True)) == (
        100 * fill_cents
    )


def test_a_rest_that_no_ratio_divides_is_made_by_steps_of_a_cent_on_several_legs():
    # 5 × 300.00 - 3 × 440.00 = +180.00. A fill at 185 is 5.00 worse: 3 × 1.66 on the sold leg
    # leaves 0.02, which is 5 × 0.01 - 3 × 0.01.
    package, tick = legs(P5940=5, P5945=-3), make_tick()
    quote = quote_package(package, tick, opening=True)

    booked = leg_prices(package, tick, 185, quote)

    assert booked == [30001, 44000 - 166 + 1]
    assert 5 * booked[0] - 3 * booked[1] == 18500


def test_a_large_slippage_never_books_a_leg_at_a_negative_price():
    # Mids 25 and 20, a raw mid of -5; a fill at 35 is 40 cents off it.
    package = legs(P5940=-1, P5935=1)
    tick = make_tick(quotes={"P5940": (0, 50), "P5935": (0, 40)})
    quote = quote_package(package, tick, opening=False)

    booked = leg_prices(package, tick, 35, quote)

    assert booked == [0, 3500]  # 25 off the sold leg, which stands at its bid, 15 onto the bought
