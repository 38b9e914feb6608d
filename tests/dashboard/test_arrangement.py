"""Filter and sort of the overview, and what it says of the next start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots import queries
from dashboard.reads.arrangement import Arrangement
from dashboard.reads.overview import overview
from marketdata.queries import market_now
from tests.dashboard.conftest import write_line
from tests.factories import BotFactory, BotSessionFactory
from tests.sessions import market


@pytest.fixture
def rows(alice, open_market):
    """Winner and Loser are live, Idler is not."""
    for name, profit_cents in (("Winner", 5_000), ("Loser", -2_000)):
        session = BotSessionFactory(bot__owner=alice, bot__name=name, last_tick_seq=2)
        write_line(session, 0, profit_cents)
    BotFactory(owner=alice, name="Idler", strategy_name="Morning fly")
    return overview(owner=alice, archived=False).rows


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Idler", "Loser", "Winner"]),  # newest first
        ({"sort": "name"}, ["Idler", "Loser", "Winner"]),
        ({"sort": "-name"}, ["Winner", "Loser", "Idler"]),
        ({"sort": "-today"}, ["Winner", "Loser", "Idler"]),
        ({"sort": "today"}, ["Loser", "Winner", "Idler"]),  # nothing today comes last either way
        ({"sort": "-drawdown"}, ["Loser", "Winner", "Idler"]),
        ({"state": "live", "sort": "name"}, ["Loser", "Winner"]),
        ({"state": "waiting"}, ["Idler"]),
        ({"q": "win"}, ["Winner"]),
        ({"q": "FLY"}, ["Idler"]),  # the strategy's name counts too
        ({"q": "nothing"}, []),
        ({"sort": "password", "state": "dead"}, ["Idler", "Loser", "Winner"]),  # not known: ignored
    ],
)
def test_the_address_says_which_rows_in_which_order(rows, query, names) -> None:
    assert [row.bot.name for row in Arrangement.of(query).rows(rows)] == names


def test_a_heading_sorts_numbers_down_first_and_words_up_first_and_then_turns_round() -> None:
    def address(query: dict[str, str], column: str) -> str:
        headings = Arrangement.of(query).headings
        return next(found for heading, found, _ in headings if heading.name == column)

    assert address({"q": "fly"}, "today") == "q=fly&sort=-today"
    assert address({"sort": "-today"}, "today") == "sort=today"
    assert address({}, "name") == "sort=name"
    assert address({"sort": "name"}, "name") == "sort=-name"


def test_the_page_keeps_filter_and_order_while_it_polls(browser, rows) -> None:
    page = browser.get("/?q=Winner&sort=-today").content.decode()

    assert 'hx-get="/dashboard/overview?q=Winner&amp;sort=-today"' in page
    assert "Loser" not in page
    assert 'aria-sort="descending"' in page


def test_a_filter_that_nothing_matches_says_so(browser, rows) -> None:
    assert "No bot matches the filter." in browser.get("/?q=zzz").content.decode()


def test_a_live_row_draws_its_day(browser, rows) -> None:
    page = browser.get("/").content.decode()

    assert page.count('<svg class="spark gain"') == 1
    assert page.count('<svg class="spark loss"') == 1


@pytest.mark.parametrize(
    ("bot", "at", "expected"),
    [
        # 2026-05-07 is a Thursday; the open is 13:30 UTC.
        ({"auto_start": True}, (7, 13, 0), (7, 13, 30)),
        ({"auto_start": True}, (7, 13, 30), (8, 13, 30)),
        ({"auto_start": True, "weekdays": ["mon"]}, (7, 13, 0), (11, 13, 30)),
        ({"auto_start": True, "weekdays": []}, (7, 13, 0), None),
        ({"auto_start": True, "archived": True}, (7, 13, 0), None),
        ({"auto_start": False}, (7, 13, 0), None),
    ],
)
def test_the_next_start_is_the_next_open_of_one_of_its_weekdays(db, bot, at, expected) -> None:
    day = market.announce()
    market.set_clock(datetime(2026, 5, *at, tzinfo=UTC), day)

    found = queries.next_start_at(queries.view(BotFactory(**bot)), market_now())

    assert found == (expected and datetime(2026, 5, *expected, tzinfo=UTC))
