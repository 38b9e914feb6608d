"""What the live view of `sessions follow` tells and shows."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.console import Console

from bots.examples import BOT_ANSWER
from sessions import examples
from zerohour_client import models
from zerohour_client._shapes import decode
from zerohour_client.cli.printing import instrument
from zerohour_client.cli.view import SessionView, sparkline

OTHER_ID = "11111111-1111-4111-8111-111111111111"


def shown(view):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(view.render())
    return console.export_text()


@pytest.fixture
def view():
    view = SessionView(decode(models.Bot, BOT_ANSWER), decode(models.Session, examples.RUNNING))
    view.begin([], [])
    return view


def order(**changes):
    return decode(models.Order, {**examples.ORDER, **changes})


PENDING = {"status": "pending", "fill_price": None, "fill_datetime": None, "concession": "0.00"}


def test_an_order_is_told_when_placed_repriced_and_filled_and_not_twice(view):
    view.apply(decode(models.Financial, examples.FINANCIAL))
    placed = view.apply(order(**PENDING, price="2.50"))
    again = view.apply(order(**PENDING, price="2.50"))
    repriced = view.apply(order(**PENDING, price="2.45"))
    filled = view.apply(order())
    filled_again = view.apply(order())

    assert placed == ["09:30:59  entry placed at 2.50 credit (sell 1 5945 put, buy 1 5920 put)"]
    assert repriced == ["09:30:59  entry re-priced from 2.50 to 2.45 credit"]
    assert filled == ["09:30:26  entry filled at 2.45 (sell 1 5945 put, buy 1 5920 put)"]
    assert again == filled_again == []


def test_a_status_is_told_once(view):
    change = models.StatusChange(datetime(2026, 5, 7, 20, tzinfo=UTC), "halted", "daily_loss_cap")

    first, second = view.apply(change), view.apply(change)

    assert (first, second) == (["16:00:00  halted: daily_loss_cap"], [])


def test_the_picture_has_the_account_what_it_holds_and_what_works(view):
    view.apply(decode(models.Financial, examples.FINANCIAL))
    view.apply(decode(models.Position, examples.POSITION))
    view.apply(order(**PENDING, id=OTHER_ID))

    text = shown(view)

    for part in ("P&L -8.44", "NLV 24,991.56", "5945 put   -1   3.25", "2.45 credit"):
        assert part in text


def test_what_is_closed_and_done_leaves_the_picture(view):
    view.apply(decode(models.Position, {**examples.POSITION, "quantity": "0"}))
    view.apply(order())

    text = shown(view)

    assert "holds" not in text
    assert "works" not in text


def test_prices_of_now_take_the_place_of_those_of_the_last_change(view):
    view.apply(decode(models.Position, examples.POSITION))

    view.hold([decode(models.Position, {**examples.POSITION, "price": "1.15"})])

    assert view.is_holding
    assert "1.15" in shown(view)
    assert "3.25" not in shown(view)


def test_a_name_with_brackets_is_shown_as_it_is(view):
    view.bot = decode(models.Bot, {**BOT_ANSWER, "name": "[red]spread[/red]"})

    assert "[red]spread[/red]" in shown(view)


def test_a_line_goes_from_the_lowest_to_the_highest():
    assert sparkline([Decimal(-4), Decimal(0), Decimal(3)]) == "▁▅█"
    assert sparkline([Decimal(1), Decimal(1)]) == "▁▁"
    assert sparkline([]) == ""


def test_an_instrument_is_said_as_people_say_it():
    assert instrument("SPXW  260507P05945000") == "5945 put"
    assert instrument("SPXW  260507C05952500") == "5952.5 call"
    assert instrument("else") == "else"
