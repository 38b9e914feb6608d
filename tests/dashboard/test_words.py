"""How numbers, packages and events read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.facts import facts
from dashboard.instruments import instrument_text, legs_of, package_text
from dashboard.templatetags import zerohour
from sessions.models import Transaction


def leg(right: str, strike: int, quantity: int) -> dict:
    return {"instrument": f"SPXW  260507{right}{strike * 1000:08d}", "quantity": quantity}


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (2_531_240, "$25,312.40"),
        (-8_000, "−$80.00"),
        (5, "$0.05"),
        (0, "$0.00"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_money_has_separators_two_decimals_and_a_true_minus(cents, text) -> None:
    assert zerohour.usd(cents) == text


@pytest.mark.parametrize(
    ("cents", "html"),
    [
        (1_240, '<span class="gain">+$12.40</span>'),
        (-1_240, '<span class="loss">−$12.40</span>'),
        (0, '<span class="flat">$0.00</span>'),
        (None, "–"),
    ],
)
def test_a_result_has_a_sign_and_a_colour(cents, html) -> None:
    assert zerohour.signed(cents) == html


@pytest.mark.parametrize(
    ("filtered", "text"),
    [
        (zerohour.package_price(-85), "0.85 cr"),
        (zerohour.package_price(120), "1.20 db"),
        (zerohour.package_price(None), "–"),
        (zerohour.package_mid(-175), "0.875 cr"),
        (zerohour.package_mid(500), "2.50 db"),
        (zerohour.pct(203), "2.03 %"),
        (zerohour.points(-1_250), "−12.50"),
        (zerohour.points(1_250), "+12.50"),
        (zerohour.plain_points(595_025), "5,950.25"),
        (zerohour.quote("1.2"), "1.20"),
        (zerohour.short_delta("0.3049"), "0.30"),
        (zerohour.usd(zerohour.to_cents("-12.4")), "−$12.40"),
        (zerohour.age(timedelta(seconds=61)), "61 s ago"),
        (zerohour.age(timedelta(minutes=5)), "5 min ago"),
        (zerohour.age(timedelta(days=1)), "24 h ago"),
        (zerohour.age(None), "–"),
        (zerohour.count_of(0, "trade,trades"), "no trades"),
        (zerohour.count_of(1, "trade,trades"), "1 trade"),
        (zerohour.count_of(2, "trade,trades"), "2 trades"),
    ],
)
def test_each_kind_of_number_is_written_one_way(filtered, text) -> None:
    assert filtered == text


@pytest.mark.parametrize(
    ("legs", "text"),
    [
        ([leg("P", 5945, 1)], "long put 5945"),
        ([leg("C", 5945, -1)], "short call 5945"),
        ([leg("P", 5945, -1), leg("P", 5920, 1)], "put spread 5920/5945"),
        (
            [leg("P", 5900, -1), leg("P", 5875, 1), leg("C", 5990, -1), leg("C", 6015, 1)],
            "iron condor 5875/5900/5990/6015",
        ),
        (
            [leg("P", 5950, -1), leg("P", 5900, 1), leg("C", 5950, -1), leg("C", 6000, 1)],
            "iron fly 5900/5950/6000",
        ),
        ([leg("P", 5900, 1), leg("P", 5880, -2), leg("P", 5850, 1)], "3 legs 5850/5880/5900"),
        ([leg("P", 5900, -1), leg("P", 5880, 2)], "2 legs 5880/5900"),
    ],
)
def test_a_package_is_called_by_its_structure_and_strikes(legs, text) -> None:
    assert package_text(legs_of(legs)) == text


def test_the_legs_of_an_order_take_their_sign_from_the_action() -> None:
    raw = [
        {**leg("P", 5945, 3), "action": "sell to open"},
        {**leg("P", 5920, 3), "action": "buy to open"},
    ]

    assert zerohour.legs_text(legs_of(raw)) == "−3 5945 P, +3 5920 P"


def test_a_strike_between_whole_points_keeps_its_cents() -> None:
    assert instrument_text("SPXW  260507C05950500") == "5950.50 C"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"order": 3, "new_cents": -85}, "order 3 · new −0.85"),
        ({"mid_half_cents": -175}, "mid −0.875"),
        ({"profit_target_bp": 5000}, "profit target 50.00 %"),
        ({"exit_at_seconds": 57_000}, "exit 15:50:00"),
        ({"due_ms": 1_778_160_600_000}, "due 09:30:00"),
        ({"lasted_ms": 4_500}, "lasted 4.5 s"),
        ({"pausing": True, "reason": None, "price": 4.05}, "pausing yes · price 4.05"),
        ({"count": 0}, "count 0"),
        ({"legs": [leg("P", 5945, -1)]}, "legs −1 5945 P"),
        ({"seen": [[1, 2]]}, "seen [[1, 2]]"),
        ("just words", "just words"),
    ],
)
def test_the_data_of_an_event_reads_with_its_units(data, text) -> None:
    assert facts(data) == text


@pytest.mark.parametrize(
    ("effect", "shown"),
    [
        ("credit", '<span class="gain">+$375.00</span>'),
        ("debit", '<span class="loss">−$375.00</span>'),
    ],
)
def test_what_a_transaction_brought_in_or_cost_carries_its_sign(effect, shown) -> None:
    row = Transaction(effect=effect, value_cents=37_500)

    assert zerohour.cash_flow(row) == shown
