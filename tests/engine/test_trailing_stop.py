"""The trailing stop of a trade, by hand (simengine.exits).

The trade: one P5950/P5945 spread sold at market for 1.70. Its base is 170.00; at a raw mid of m it
has made 170.00 - 100 × m. A trailing stop of 20 % is 34.00, one of 12.5 % is 21.25.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from simengine.market import MISSING
from simengine.state import SessionState
from tests.engine.builders import (
    Day,
    cancel_action,
    close_action,
    kinds,
    make_policy,
    market_action,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def holding(**rules: Any) -> Day:
    day = Day(policy=make_policy(max_daily_loss_e4=5000, closing={"enabled": False}))
    day.tick(market_action(**{**SPREAD, **rules}))
    day.tick()
    return day


def at_mid(mid_cents: float) -> dict[str, tuple[int, int]]:
    return {"P5950": (435 + int(mid_cents), 445 + int(mid_cents + mid_cents % 1))}


def triggered_at(day: Day, mids: list[float]) -> list[tuple[float, str, int]]:
    """Walks the mids a second each; the mid, rule and profit of every exit."""
    found = []
    for mid in mids:
        events: list[Any] = day.tick(quotes=at_mid(mid))
        found += [(mid, e.rule, e.profit_cents) for e in events if e.kind == "exit_triggered"]
    return found


@pytest.mark.parametrize(
    ("rules", "mids", "expected"),
    [
        # The best is 170 - 120 = 50.00, so it closes at 50.00 - 34.00 = 16.00: at 1.54
        ({"trailing_stop_pct": 20}, [120, 153], []),
        ({"trailing_stop_pct": 20}, [120, 154], [(154, "trailing_stop", 1_600)]),
        ({"trailing_stop_pct": 20}, [120, 400], [(400, "trailing_stop", -23_000)]),
        # A higher best takes the stop along, 70.00 - 34.00 = 36.00: at 1.34; a fall leaves it there
        ({"trailing_stop_pct": 20}, [120, 100, 133], []),
        ({"trailing_stop_pct": 20}, [120, 100, 130, 134], [(134, "trailing_stop", 3_600)]),
        # Armed from the fill, where the best is 0: at -34.00, a mid of 2.04
        ({"trailing_stop_pct": 20}, [180, 203], []),
        ({"trailing_stop_pct": 20}, [204], [(204, "trailing_stop", -3_400)]),
        (
            {"trailing_stop_pct": 20, "trailing_start_pct": 0},
            [204],
            [(204, "trailing_stop", -3_400)],
        ),
        # Armed by a best of 30 % = 51.00, a mid of 1.19; then at 51.00 - 34.00 = 17.00: at 1.53
        ({"trailing_stop_pct": 20, "trailing_start_pct": 30}, [120, 300], []),
        (
            {"trailing_stop_pct": 20, "trailing_start_pct": 30},
            [119, 152, 153],
            [(153, "trailing_stop", 1_700)],
        ),
        # 12.5 % is 21.25; half a cent of mid is 0.50. Best 50.00, so at 28.75: the first mid that
        # reaches it is 1.415 (28.50); at 1.41 there is 29.00
        ({"trailing_stop_pct": 12.5}, [120, 141], []),
        ({"trailing_stop_pct": 12.5}, [120, 141.5], [(141.5, "trailing_stop", 2_850)]),
        # Armed by 12.5 % = 21.25: by a mid of 1.485 (21.50), not by one of 1.49 (21.00)
        ({"trailing_stop_pct": 10, "trailing_start_pct": 12.5}, [149, 190], []),
        (
            {"trailing_stop_pct": 10, "trailing_start_pct": 12.5},
            [148.5, 190],
            [(190, "trailing_stop", -2_000)],
        ),
    ],
)
def test_it_closes_at_the_best_profit_less_its_percentage(rules, mids, expected):
    day = holding(**rules)

    assert triggered_at(day, mids) == expected


def test_it_trails_a_debit_by_percent_of_what_was_paid():
    # Bought at 1.90, 20 % is 38.00. Best 3.00: 110.00, so at 72.00: at 2.62
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(P5950=1, P5945=-1, trailing_stop_pct=20))
    day.tick()

    assert triggered_at(day, [300, 263, 262]) == [(262, "trailing_stop", 7_200)]


def test_every_contract_counts_and_the_percentage_stays():
    day = holding(trailing_stop_pct=20, contracts=3)

    assert triggered_at(day, [120, 153, 154]) == [(154, "trailing_stop", 4_800)]


def test_a_mid_without_all_its_quotes_is_no_best_and_closes_nothing():
    day = holding(trailing_stop_pct=20)
    without = {"P5945": (MISSING, 445)}

    day.tick(quotes={**at_mid(50), **without})  # would be a best of 120.00
    day.tick(quotes={**at_mid(300), **without})  # would be a loss of 130.00
    day.tick(quotes={**at_mid(50), "P5945": (450, 445)})

    assert triggered_at(day, [203, 204]) == [(204, "trailing_stop", -3_400)]


def test_a_stale_tick_is_no_best_and_closes_nothing():
    day = holding(trailing_stop_pct=20)

    day.tick(quotes=at_mid(50), lag_ms=5000)
    day.tick(quotes=at_mid(300), lag_ms=5000)

    assert triggered_at(day, [203, 204]) == [(204, "trailing_stop", -3_400)]


def test_the_best_grows_while_a_close_is_working():
    day = holding(trailing_stop_pct=20)
    day.tick(close_action(), quotes=at_mid(120))  # re-pricing is off: it rests at 1.20

    day.tick(quotes=at_mid(118))  # quoted 1.20, with the slippage 1.25: it does not fill
    day.tick(cancel_action(2), quotes=at_mid(120))

    # Best 52.00 at 1.18, so 18.00: at 1.52
    assert triggered_at(day, [151, 152]) == [(152, "trailing_stop", 1_800)]


@pytest.mark.parametrize(
    ("rules", "mids", "rule"),
    [
        ({"trailing_stop_pct": 20, "stop_loss_pct": 20}, [204], "stop_loss"),
        ({"trailing_stop_pct": 10, "profit_target_pct": 30}, [50], "profit_target"),
        ({"trailing_stop_pct": 20, "exit_at_seconds": 0}, [204], "exit_at"),
    ],
)
def test_what_stands_before_it_wins(rules, mids, rule):
    day = holding(**rules)

    triggered_at(day, mids)

    assert day.of("exit_triggered")[0].rule == rule


def test_it_wins_over_touch():
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(**SPREAD, trailing_stop_pct=20, exit_on_touch=True))
    day.tick(spot_cents=595_100)

    day.tick(quotes=at_mid(204), spot_cents=594_000)

    assert day.only("exit_triggered").rule == "trailing_stop"


def test_a_package_that_cost_nothing_has_no_percentage_to_trail():
    day = Day(policy=make_policy())
    even = {"P5955": (620, 630)}
    day.tick(open_action(0, P5955=-1, P5950=1, trailing_stop_pct=1), quotes=even)
    day.tick(quotes=even)

    day.tick(quotes={"P5955": (215, 225)})
    day.tick(quotes={"P5955": (835, 845)})

    assert day.only("trade_opened").entry_cents == 0
    assert day.of("exit_triggered") == []


def test_the_best_survives_a_restart():
    day = holding(trailing_stop_pct=20)
    day.tick(quotes=at_mid(100))

    day.state = SessionState.from_json(json.loads(json.dumps(day.state.as_json())))

    assert triggered_at(day, [133, 134]) == [(134, "trailing_stop", 3_600)]


def test_the_trade_says_its_rules():
    day = holding(trailing_stop_pct=12.34, trailing_start_pct=0.5)

    opened = day.only("trade_opened")

    assert (opened.trailing_stop_bp, opened.trailing_start_bp, opened.exit_on_touch) == (
        1_234, 50, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"trailing_stop_pct": 0}, "trailing_stop_pct must be a positive number"),
        ({"trailing_stop_pct": True}, "trailing_stop_pct must be a positive number"),
        ({"trailing_stop_pct": 0.001}, "trailing_stop_pct is less than a hundredth"),
        ({"trailing_start_pct": 10}, "trailing_start_pct needs a trailing_stop_pct"),
        ({"trailing_start_pct": 0}, "trailing_start_pct needs a trailing_stop_pct"),
        ({"trailing_stop_pct": 5, "trailing_start_pct": -1}, "trailing_start_pct must be"),
        ({"trailing_stop_pct": 5, "trailing_start_pct": False}, "trailing_start_pct must be"),
    ],
)
def test_what_makes_no_sense_is_an_invalid_order(rules, message):
    day = Day()

    events: list[Any] = day.tick(market_action(**SPREAD, **rules))

    assert kinds(events)[-2:] == ["refused", "error_counted"]
    assert message in events[-1].message
