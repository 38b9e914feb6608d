from __future__ import annotations

from dashboard.reads.market import STRIKES_EACH_SIDE, chain
from simengine.market import MISSING, rows_of
from tests.marketdata.factories import make_tick
from tests.sessions import market


def test_before_any_tick_the_page_says_so(browser) -> None:
    page = browser.get("/market").content.decode()

    assert "has not published a tick yet" in page
    assert "silent" in page


def test_the_chain_marks_the_strike_at_spot_and_what_is_in_the_money(open_market) -> None:
    rows = {row.strike: row for row in chain().rows}

    assert [row.strike for row in rows.values() if row.is_nearest] == ["5950"]
    assert (rows["5945"].call_in_the_money, rows["5945"].put_in_the_money) == (True, False)
    assert (rows["5955"].call_in_the_money, rows["5955"].put_in_the_money) == (False, True)


def test_the_strikes_within_the_expected_move_are_marked(open_market) -> None:
    expected = [row.strike for row in chain().rows if row.is_expected]

    assert (expected[0], expected[-1], len(expected)) == ("5930", "5970", 9)  # 5950 ± 21.50


def test_the_page_tells_the_clocks_speed_and_how_late_the_feed_is(browser, db) -> None:
    market.announce()
    market.publish([market.tick(1, lag_ms=250)])
    market.MarketClock.objects.update(speed=30)

    page = browser.get("/dashboard/market").content.decode()

    assert "250 ms under way" in page
    assert "×30" in page


def test_a_paused_market_is_called_so(browser, open_market) -> None:
    market.MarketClock.objects.update(speed=0)

    assert "paused" in browser.get("/dashboard/market").content.decode()


def test_only_the_strikes_around_spot_are_shown(db) -> None:
    strikes = [500_000 + 500 * row for row in range(200)]
    columns = {
        name: [100] * 200
        for name in (
            "call_bid_cents",
            "call_ask_cents",
            "call_delta_e4",
            "put_bid_cents",
            "put_ask_cents",
            "put_delta_e4",
        )
    }
    market.announce()
    market.publish(
        [
            make_tick(
                strikes_cents=strikes, row_of_strike=rows_of(strikes), spot_cents=550_100, **columns
            )
        ]
    )

    rows = chain().rows

    assert len(rows) == 2 * STRIKES_EACH_SIDE + 1
    assert rows[STRIKES_EACH_SIDE].strike == "5500"


def test_a_missing_quote_is_a_dash_and_no_zero(browser, db) -> None:
    market.announce()
    market.publish([make_tick(call_bid_cents=[MISSING] * 3, call_delta_e4=[MISSING] * 3)])

    page = browser.get("/dashboard/market").content.decode()

    assert '<td class="num">–</td>' in page


def test_a_settled_day_shows_its_value_and_where_it_came_from(browser, open_market) -> None:
    market.close(settlement_cents=595_025)

    page = browser.get("/market").content.decode()

    assert "Settlement (official)" in page
    assert "5,950.25" in page


def test_the_chain_shows_what_each_strike_reacts_to(browser, open_market) -> None:
    page = browser.get("/market").content.decode()

    assert "Theta/h" in page
    assert page.count('class="num greek"') == 4 * len(market.STRIKES)
    assert "−" in page.split('class="num greek"')[3]  # time costs
