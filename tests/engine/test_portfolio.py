"""Positions at average cost, and the identities of the books (domain.md sections 4 and 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine.market import MISSING
from simengine.portfolio import Portfolio, Position
from tests.engine.builders import CHAIN, Day, close_action, contract, make_tick, market_action


@pytest.mark.parametrize(
    ("trades", "quantity", "cost", "realized"),
    [
        # (signed quantity, price per contract in cents)
        ([(2, 10_000)], 2, 20_000, 0),
        ([(2, 10_000), (1, 13_000)], 3, 33_000, 0),  # average 11,000
        ([(2, 10_000), (1, 13_000), (-1, 15_000)], 2, 22_000, 4_000),
        ([(2, 10_000), (-2, 9_000)], 0, 0, -2_000),
        ([(-1, 6_000), (1, 2_000)], 0, 0, 4_000),
        ([(-3, 6_000), (1, 2_000)], -2, -12_000, 4_000),
        # through zero: 1 closed at 4,000 gain, 2 opened at 14,000
        ([(1, 10_000), (-3, 14_000)], -2, -28_000, 4_000),
        # a third of 100: 33 leaves, 67 stays, nothing is lost
        ([(1, 33), (2, 34), (-1, 50)], 2, 101 - 33, 50 - 33),
    ],
)
def test_positions_are_kept_at_average_cost(trades, quantity, cost, realized):
    position = Position(contract("P5950"))

    for signed_quantity, price_cents in trades:
        position.trade(signed_quantity, price_cents)

    assert (position.quantity, position.cost_cents, position.realized_cents) == (
        quantity, cost, realized,
    )  # fmt: skip


@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(sorted(CHAIN)),
            st.integers(-5, 5).filter(bool),
            st.integers(0, 200_000),
            st.integers(0, 900),
        ),
        max_size=30,
    )
)
def test_the_books_balance_after_every_trade(trades):
    books, tick = Portfolio(cash_cents=2_500_000), make_tick()

    for name, quantity, price_cents, fee_cents in trades:
        books.book(contract(name), quantity, price_cents, fee_cents)
        books.mark(tick)

        value = sum(
            row.quantity * 50 * sum(CHAIN[name]) for name in CHAIN
            if (row := books.positions.get(contract(name)))
        )  # fmt: skip
        assert books.nlv_cents == books.cash_cents + value
        assert books.nlv_cents - 2_500_000 == (
            books.realized_cents + books.unrealized_cents - books.fees_cents
        )
        assert books == Portfolio.from_json(books.as_json())


@pytest.mark.parametrize(
    "unusable", [(MISSING, 625), (615, MISSING), (MISSING, MISSING), (626, 625)]
)
def test_a_mark_keeps_its_last_usable_value(unusable):
    books = Portfolio(cash_cents=0)
    books.book(contract("P5950"), -2, 62_000, 0)
    books.mark(make_tick())

    books.mark(make_tick(2, {"P5950": unusable}))
    while_unusable = books.nlv_cents
    books.mark(make_tick(3, {"P5950": (600, 610)}))

    assert while_unusable == 2 * 62_000 - 2 * 62_000
    assert books.nlv_cents == 2 * 62_000 - 2 * 60_500


def test_a_mark_survives_its_strike_leaving_the_chain():
    books = Portfolio(cash_cents=0)
    books.book(contract("P5950"), 1, 62_000, 0)
    books.mark(make_tick())

    books.mark(make_tick(chain={"P5945": (435, 445)}))

    assert books.nlv_cents == 0


def test_a_bid_of_zero_is_a_mark():
    books = Portfolio(cash_cents=0)
    books.book(contract("P5935"), 1, 20_000, 0)

    books.mark(make_tick(quotes={"P5935": (0, 5)}))

    assert books.value_cents == 250


def test_the_mark_of_an_odd_spread_keeps_its_half_cent():
    books = Portfolio(cash_cents=0)
    books.book(contract("P5950"), 3, 0, 0)

    books.mark(make_tick(quotes={"P5950": (610, 615)}))

    assert books.value_cents == 3 * 61_250


def test_two_trades_in_one_contract_are_pooled_at_their_average_cost():
    day = Day(balance_cents=50_000_000)
    day.tick(market_action(P5950=-1))
    day.tick(market_action(P5950=-1))  # the first is sold at 6.15 now
    day.tick(quotes={"P5950": (635, 645)})  # the second at 6.35

    both = day.portfolio.positions[contract("P5950")].cost_cents
    day.tick(close_action(1, "market"), quotes={"P5950": (635, 645)})
    day.tick(quotes={"P5950": (635, 645)})

    # One bought back at 6.45 against an average of 6.25, although its own trade sold at 6.15.
    left = day.portfolio.positions[contract("P5950")]
    assert both == -61_500 - 63_500
    assert (left.quantity, left.cost_cents, left.realized_cents) == (-1, -62_500, -2_000)
    assert day.only("trade_closed").profit_cents == -3_000


def test_a_closed_position_stays_in_the_books_at_zero():
    day = Day()
    day.tick(market_action(P5950=-1, P5945=1))
    day.tick(close_action(1, "market"))

    day.tick()

    assert day.portfolio.is_flat
    assert [position.quantity for position in day.portfolio.positions.values()] == [0, 0]
    assert day.row.unrealized_profit_loss == 0
