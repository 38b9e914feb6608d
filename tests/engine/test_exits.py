"""Exit rules, checked by the engine each tick on usable quotes (domain.md section 9).

The trade: one P5950/P5945 spread sold at market for 1.70. Its base is 170.00; at a raw mid of m it
has made 170.00 - 100 × m.
"""

from __future__ import annotations

from typing import Any

import pytest

from simengine.market import MISSING
from tests.engine.builders import (
    OPEN_SECONDS,
    Day,
    cancel_action,
    failing,
    kinds,
    make_policy,
    market_action,
    open_action,
)

SPREAD = {"P5950": -1, "P5945": 1}


def holding(**rules: Any) -> Day:
    day = Day(policy=make_policy(max_daily_loss_e4=5000))
    day.tick(market_action(**{**SPREAD, **rules}))
    day.tick()
    return day


def at_mid(mid_cents: int) -> dict[str, tuple[int, int]]:
    return {"P5950": (435 + mid_cents, 445 + mid_cents)}


@pytest.mark.parametrize(
    ("rules", "mid_cents", "rule", "profit_cents"),
    [
        # 50 % of 170.00 is 85.00: at 0.85
        ({"profit_target_pct": 50}, 86, None, 0),
        ({"profit_target_pct": 50}, 85, "profit_target", 8_500),
        ({"profit_target_pct": 50}, 20, "profit_target", 15_000),
        ({"profit_target_pct": 12.5}, 149, None, 0),  # 21.25: at 1.4875
        ({"profit_target_pct": 12.5}, 148, "profit_target", 2_200),
        # 200 % of 170.00 is a loss of 340.00: at 5.10
        ({"stop_loss_pct": 200}, 509, None, 0),
        ({"stop_loss_pct": 200}, 510, "stop_loss", -34_000),
        ({"stop_loss_pct": 200, "profit_target_pct": 50}, 600, "stop_loss", -43_000),
        ({"stop_loss_pct": 200, "profit_target_pct": 50}, 180, None, 0),
    ],
)
def test_a_rule_holds_from_its_percentage_on(rules, mid_cents, rule, profit_cents):
    day = holding(**rules)

    day.tick(quotes=at_mid(mid_cents))

    found = [(event.rule, event.profit_cents) for event in day.of("exit_triggered")]
    assert found == ([] if rule is None else [(rule, profit_cents)])


def test_percentages_of_a_debit_are_of_what_was_paid():
    # Bought at 1.90: 100 % more is 3.80.
    day = Day(policy=make_policy())
    day.tick(market_action(P5950=1, P5945=-1, profit_target_pct=100))
    day.tick()

    below = kinds(day.tick(quotes=at_mid(379)))
    at_target = kinds(day.tick(quotes=at_mid(380)))

    assert "exit_triggered" not in below
    assert "exit_triggered" in at_target


def test_a_triggered_rule_places_a_closing_limit_at_the_quoted_mid():
    day = holding(profit_target_pct=50)

    events = day.tick(quotes=at_mid(82))

    assert kinds(events) == ["exit_triggered", "order_placed"]
    assert (events[1].order_kind, events[1].type, events[1].limit_cents, events[1].reason) == (
        "closing", "limit", 80, "profit_target",
    )  # fmt: skip


def test_the_close_is_re_priced_like_every_closing_order():
    day = holding(profit_target_pct=50)
    day.tick(quotes=at_mid(80))

    day.ticks(16, quotes=at_mid(80))

    assert [event.rule for event in day.of("repriced")] == ["nudge"]
    closed = day.only("trade_closed")
    assert (closed.reason, closed.exit_cents, closed.profit_cents) == (
        "profit_target", -85, 8_500,
    )  # fmt: skip


def test_a_rule_triggers_once_while_its_order_works():
    day = holding(profit_target_pct=50)

    day.ticks(5, quotes=at_mid(80))

    assert len(day.of("exit_triggered")) == 1


def test_after_a_cancel_the_rule_holds_again():
    day = holding(profit_target_pct=50)
    day.tick(quotes=at_mid(80))

    day.tick(cancel_action(2), quotes=at_mid(80))
    day.tick(quotes=at_mid(80))

    assert len(day.of("exit_triggered")) == 2


@pytest.mark.parametrize("quotes", [{"P5945": (MISSING, MISSING)}, {"P5945": (450, 445)}])
def test_rules_look_at_usable_quotes_only(quotes):
    day = holding(profit_target_pct=50)

    events = day.tick(quotes={**at_mid(20), **quotes})

    assert events == []


def test_rules_do_not_look_at_stale_ticks():
    day = holding(profit_target_pct=50)

    day.tick(quotes=at_mid(20), lag_ms=5000)

    assert day.of("exit_triggered") == []


@pytest.mark.parametrize(("at_seconds", "triggers"), [(57_299, False), (57_300, True)])
def test_exit_at_closes_from_its_second_on(at_seconds, triggers):
    day = holding(exit_at_seconds=57_300)  # 15:55:00

    day.tick(at_seconds=at_seconds)

    assert [event.rule for event in day.of("exit_triggered")] == (["exit_at"] if triggers else [])


def test_a_due_time_waits_for_a_usable_quote():
    day = holding(exit_at_seconds=OPEN_SECONDS + 2)

    without = day.tick(quotes={"P5945": (MISSING, 445)})
    with_quotes = day.tick()

    assert without == []
    assert kinds(with_quotes) == ["exit_triggered", "order_placed"]


def test_profit_wins_over_time():
    day = holding(exit_at_seconds=OPEN_SECONDS + 2, profit_target_pct=50)

    day.tick(quotes=at_mid(20))

    assert day.only("exit_triggered").rule == "profit_target"


def test_a_package_that_cost_nothing_has_no_percentage():
    # Mids 6.25 and 6.20: a credit of 0.05, less the slippage nothing.
    day = Day(policy=make_policy())
    even = {"P5955": (620, 630)}
    day.tick(open_action(0, P5955=-1, P5950=1, profit_target_pct=1, stop_loss_pct=1), quotes=even)
    day.tick(quotes=even)

    day.tick(quotes={"P5955": (215, 225)})
    day.tick(quotes={"P5955": (835, 845)})

    assert day.only("trade_opened").entry_cents == 0
    assert day.of("exit_triggered") == []


def test_each_trade_has_its_own_rules():
    day = holding(profit_target_pct=50)
    day.tick(market_action(C5955=-1, C5965=1, profit_target_pct=90))
    day.tick()

    day.tick(quotes={**at_mid(20), "C5955": (215, 225)})

    assert [event.trade for event in day.of("exit_triggered")] == [1]


def test_exits_need_no_call_of_the_program():
    day = holding(profit_target_pct=50)
    day.strategy.script["on_tick", 3] = failing()

    events = day.tick(quotes=at_mid(20))

    assert kinds(events) == ["exit_triggered", "order_placed", "error_counted"]
