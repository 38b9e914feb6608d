"""Exit on touch: spot reaches the strike of a sold leg (simengine.exits)."""

from __future__ import annotations

from typing import Any

import pytest

from simengine.market import MISSING
from tests.engine.builders import (
    OPEN_SECONDS,
    Day,
    cancel_action,
    kinds,
    make_policy,
    market_action,
)

PUT_SPREAD = {"P5945": -1, "P5940": 1}
CALL_SPREAD = {"C5955": -1, "C5960": 1}
CONDOR = {**PUT_SPREAD, **CALL_SPREAD}
TWO_SOLD_CALLS = {"C5950": 1, "C5955": -1, "C5960": -1, "C5965": 1}


def holding(legs: dict[str, int], **rules: Any) -> Day:
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(exit_on_touch=True, **legs, **rules))
    day.tick()
    return day


@pytest.mark.parametrize(
    ("legs", "spot_cents", "touches"),
    [
        # A sold put at 5945: at or below its strike
        (PUT_SPREAD, 594_501, False),
        (PUT_SPREAD, 594_500, True),
        (PUT_SPREAD, 594_499, True),
        (PUT_SPREAD, 596_500, False),
        # A sold call at 5955: at or above
        (CALL_SPREAD, 595_499, False),
        (CALL_SPREAD, 595_500, True),
        (CALL_SPREAD, 597_000, True),
        (CALL_SPREAD, 593_000, False),
        # Either side of a condor
        (CONDOR, 594_501, False),
        (CONDOR, 594_500, True),
        (CONDOR, 595_499, False),
        (CONDOR, 595_500, True),
        # Of two sold calls the nearer one
        (TWO_SOLD_CALLS, 595_499, False),
        (TWO_SOLD_CALLS, 595_500, True),
        # Bought strikes are no matter
        ({"P5945": 1, "P5940": -1}, 594_500, False),
        ({"P5945": 1, "P5940": -1}, 594_000, True),
    ],
)
def test_spot_at_a_sold_strike_closes_the_trade(legs, spot_cents, touches):
    day = holding(legs)

    events: list[Any] = day.tick(spot_cents=spot_cents)

    rules = [event.rule for event in events if event.kind == "exit_triggered"]
    assert rules == (["touch"] if touches else [])


def test_a_trade_that_opens_beyond_its_strike_closes_at_once():
    day = holding({"P5955": -1, "P5950": 1})  # spot is 5950.00

    assert [(event.rule, day.state.last_seq) for event in day.of("exit_triggered")] == [
        ("touch", 2)
    ]


def test_without_the_rule_spot_is_no_matter():
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(**PUT_SPREAD))
    day.tick()

    day.tick(spot_cents=590_000)

    assert day.of("exit_triggered") == []


def test_it_places_a_closing_limit_at_the_quoted_mid():
    day = holding(PUT_SPREAD)

    events: list[Any] = day.tick(spot_cents=594_000)

    # Mids 4.40 and 3.00: 1.40 to buy it back. It was sold at 4.35 - 3.05 = 1.30.
    assert kinds(events) == ["exit_triggered", "order_placed"]
    assert (events[0].rule, events[0].profit_cents) == ("touch", -1_000)
    assert (events[1].order_kind, events[1].limit_cents, events[1].reason) == (
        "closing", 140, "touch",
    )  # fmt: skip


def test_a_touch_of_a_moment_without_quotes_is_not_seen():
    day = holding(PUT_SPREAD)

    day.tick(spot_cents=594_000, quotes={"P5940": (MISSING, 305)})
    day.tick(spot_cents=594_000, lag_ms=5000)
    day.tick(spot_cents=594_600)

    assert day.of("exit_triggered") == []


def test_while_spot_stays_there_the_rule_holds_again_after_a_cancel():
    day = holding(PUT_SPREAD)
    day.tick(spot_cents=594_000)

    day.tick(cancel_action(2), spot_cents=594_000)
    day.tick(spot_cents=594_000)

    assert [event.rule for event in day.of("exit_triggered")] == ["touch", "touch"]


def test_it_wins_over_time():
    day = holding(PUT_SPREAD, exit_at_seconds=OPEN_SECONDS + 2)

    day.tick(spot_cents=594_500)

    assert day.only("exit_triggered").rule == "touch"


def test_it_needs_no_price_to_be_a_percentage_of():
    day = Day(policy=make_policy())
    even = {"P5955": (620, 630)}
    day.tick(market_action(P5955=-1, P5950=1, exit_on_touch=True),
             quotes={"P5955": (625, 635)}, spot_cents=596_000)  # fmt: skip
    day.tick(quotes={"P5955": (625, 635)}, spot_cents=596_000)

    day.tick(quotes=even, spot_cents=595_500)

    assert day.only("trade_opened").entry_cents == 0
    assert day.only("exit_triggered").rule == "touch"


@pytest.mark.parametrize(
    ("legs", "rule", "message"),
    [
        ({"C5955": 1}, True, "exit_on_touch needs a sold leg"),
        (PUT_SPREAD, "yes", "exit_on_touch must be true or false"),
        (PUT_SPREAD, 1, "exit_on_touch must be true or false"),
    ],
)
def test_what_makes_no_sense_is_an_invalid_order(legs, rule, message):
    day = Day()

    events: list[Any] = day.tick(market_action(exit_on_touch=rule, **legs))

    assert kinds(events)[-2:] == ["refused", "error_counted"]
    assert message in events[-1].message
