from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from dashboard.reads.overview import overview
from marketdata.models import MarketDay
from sessions.lifecycle import Status
from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import TODAY, BotFactory, BotSessionFactory
from tests.sessions import market


def html(browser: Client, address: str = "/") -> str:
    return browser.get(address).content.decode()


@pytest.fixture
def running(alice, open_market):
    return BotSessionFactory(bot__owner=alice, bot__name="Runner")


def row_of(alice):
    return overview(owner=alice, archived=False).rows[0]


def test_without_a_bot_the_page_leads_to_the_first_one(browser) -> None:
    page = html(browser)

    assert "Your first bot in three steps" in page
    assert "/strategies/new" in page


def test_a_live_row_shows_the_latest_second_of_its_session(alice, running) -> None:
    write_line(running, 0, 9_900, -12_345)
    make_trade(running)
    make_order(running)

    row = row_of(alice)

    assert (row.profit_loss_cents, row.nlv_cents) == (-12_345, 2_487_655)
    assert (row.activity.open_trades, row.activity.working_orders) == (1, 1)
    assert row.is_live


def test_what_is_closed_or_done_is_not_counted(alice, running) -> None:
    make_trade(running, status="closed")
    make_order(running, status="filled")

    activity = row_of(alice).activity

    assert (activity.open_trades, activity.working_orders) == (0, 0)


@pytest.mark.parametrize(
    ("profit_loss_cents", "loss_cents", "used_pct", "is_close"),
    [
        (50_000, 0, 0, False),
        (-62_500, 62_500, 50, False),
        (-100_000, 100_000, 80, True),
        (-200_000, 200_000, 100, True),
    ],
)
def test_the_bar_holds_the_days_loss_against_the_frozen_cap(
    alice, running, profit_loss_cents, loss_cents, used_pct, is_close
) -> None:
    write_line(running, profit_loss_cents)

    bar = row_of(alice).loss_bar

    assert (bar.loss_cents, bar.cap_cents) == (loss_cents, 125_000)
    assert (bar.used_pct, bar.is_close) == (used_pct, is_close)


def test_a_live_row_says_how_long_ago_its_last_tick_was(browser, alice, open_market) -> None:
    live = {"bot__owner": alice, "last_tick_at": market.from_open(10)}
    BotSessionFactory(**live)
    BotSessionFactory(**live, settled=True)  # what is over has a time, and no age
    market.set_clock(market.from_open(13), MarketDay.objects.get())

    page = html(browser)

    assert ">3 s ago</time>" in page
    assert 'title="09:30:10 New York, 2026-05-07 13:30:10 UTC"' in page
    assert page.count(">09:30:10</time>") == 1


def test_a_session_that_settled_today_shows_its_roll_up(alice, open_market) -> None:
    BotSessionFactory(bot__owner=alice, settled=True, total_pl_cents=31_240)

    row = row_of(alice)

    assert (row.profit_loss_cents, row.runtime_status, row.is_live) == (31_240, "completed", False)


def test_yesterdays_result_is_not_todays(alice, open_market) -> None:
    yesterday = TODAY - timedelta(days=1)
    BotSessionFactory(bot__owner=alice, settled=True, total_pl_cents=31_240, trading_date=yesterday)

    row = row_of(alice)

    assert (row.session, row.profit_loss_cents) == (None, None)
    assert row.nlv_cents == row.bot.cash_balance_cents


def test_a_session_still_settling_from_another_day_stays_in_sight(alice, open_market) -> None:
    BotSessionFactory(
        bot__owner=alice, status=Status.SETTLING, trading_date=TODAY - timedelta(days=1)
    )

    assert row_of(alice).is_live


def test_the_sums_add_up_the_rows_and_strangers_are_no_part_of_them(alice, bob, running) -> None:
    write_line(running, 10_000)
    write_line(BotSessionFactory(bot__owner=alice), -2_500)
    write_line(BotSessionFactory(bot__owner=bob), 99_900)

    totals = overview(owner=alice, archived=False).totals

    assert (totals.profit_loss_cents, totals.live) == (7_500, 2)
    assert totals.nlv_cents == 5_007_500


def test_the_number_of_queries_does_not_grow_with_the_bots(
    alice, open_market, django_assert_num_queries
) -> None:
    for _ in range(4):
        session = BotSessionFactory(bot__owner=alice)
        write_line(session, 100)
        make_trade(session)

    with django_assert_num_queries(8):
        overview(owner=alice, archived=False)


def test_actions_fit_the_state_of_the_bot(browser, alice, running) -> None:
    live = html(browser)
    BotFactory(owner=alice, name="Idler")
    both = html(browser)

    assert f"/sessions/{running.pk}/stop" in live
    assert "/start" not in live
    assert "/start" in both


def test_gains_and_losses_carry_a_sign_beside_their_colour(browser, running) -> None:
    write_line(running, -12_345)

    assert '<span class="loss">−$123.45</span>' in html(browser)


def test_archived_bots_have_a_list_of_their_own(browser, alice) -> None:
    BotFactory(owner=alice, name="Put away", archived=True)
    BotFactory(owner=alice, name="Still here")

    active, archived = html(browser), html(browser, "/?show=archived")

    assert "Put away" not in active
    assert "Archived (1)" in active
    assert "Put away" in archived
    assert "Still here" not in archived


def test_the_strip_tells_an_open_market_from_a_silent_one(browser, open_market) -> None:
    opened = html(browser, "/dashboard/market-strip")
    market.set_clock(market.from_open(1), None, silent_seconds=60)
    silent = html(browser, "/dashboard/market-strip")

    assert "open" in opened
    assert "5,950.00" in opened
    assert "feed silent" in silent


def test_the_strip_works_before_any_market_ran(browser) -> None:
    assert "feed silent" in html(browser, "/dashboard/market-strip")
