"""A bot's page and what can be done to the bot from it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bots.models import Bot
from sessions.models import BotSession
from tests.factories import TODAY, BotFactory, BotSessionFactory
from tests.sessions import market


@pytest.fixture
def bot(alice):
    return BotFactory(owner=alice, name="Spread")


def settled_days(bot: Bot, *results_cents: int) -> None:
    balance = bot.starting_capital_cents
    for number, result in enumerate(results_cents, start=1):
        BotSessionFactory(
            bot=bot,
            settled=True,
            trading_date=TODAY - timedelta(days=10 - number),
            opening_balance_cents=balance,
            total_pl_cents=result,
        )
        balance += result


def test_the_page_shows_settings_with_their_bounds(browser, bot) -> None:
    page = browser.get(f"/bots/{bot.pk}").content.decode()

    assert "Daily loss cap (%)" in page
    assert "0.5 to 50 % of the opening balance" in page
    assert "500 to 10,000" in page
    assert "Used by the next session" in page


def test_the_page_rolls_up_settled_days_and_lists_them(browser, bot) -> None:
    settled_days(bot, 24_020, -8_000)

    page = browser.get(f"/bots/{bot.pk}").content.decode()

    assert '<span class="gain">+$160.20</span>' in page
    assert "50.00 %" in page
    assert page.count('<th scope="row"><a href="/bots/') == 2


def test_the_equity_curve_has_one_point_a_settled_day(browser, bot) -> None:
    settled_days(bot, 24_020, -8_000)

    equity = browser.get(f"/dashboard/bots/{bot.pk}/equity").json()

    assert equity["closing_balance_cents"] == [2_524_020, 2_516_020]
    assert equity["at"] == sorted(equity["at"])


def test_a_start_outside_hours_is_refused_with_the_reason(browser, bot) -> None:
    market.announce()

    answer = browser.post(f"/bots/{bot.pk}/start")

    assert answer.status_code == 422
    assert "outside regular trading hours" in answer.content.decode()
    assert not BotSession.objects.exists()


def test_the_question_warns_while_the_market_is_closed(browser, bot) -> None:
    market.announce()

    page = browser.get(f"/bots/{bot.pk}/start").content.decode()

    assert "The market is before the open" in page
    assert "$25,000.00" in page


def test_a_start_inside_hours_leads_to_the_new_session(browser, bot, open_market) -> None:
    answer = browser.post(f"/bots/{bot.pk}/start")

    session = BotSession.objects.get(bot=bot)
    assert answer["Location"] == f"/bots/{bot.pk}/sessions/{session.pk}"
    assert session.status == "registering"


def test_asking_is_not_doing(browser, bot, open_market) -> None:
    browser.get(f"/bots/{bot.pk}/start")
    browser.get(f"/bots/{bot.pk}/archive")

    bot.refresh_from_db()
    assert not BotSession.objects.exists()
    assert bot.status == "idle"


def test_a_bot_is_archived_and_brought_back(browser, bot) -> None:
    browser.post(f"/bots/{bot.pk}/archive")
    bot.refresh_from_db()
    archived = bot.status
    browser.post(f"/bots/{bot.pk}/archive")
    bot.refresh_from_db()

    assert (archived, bot.status) == ("archived", "idle")


def test_archiving_a_bot_with_a_live_session_is_refused_with_the_reason(browser, bot) -> None:
    BotSessionFactory(bot=bot)

    answer = browser.post(f"/bots/{bot.pk}/archive")

    assert answer.status_code == 409
    assert "stop the session first" in answer.content.decode()


def test_the_sessions_can_be_taken_away_as_a_file(browser, bot) -> None:
    settled_days(bot, 24_020, -8_000)

    answer = browser.get(f"/bots/{bot.pk}/sessions.csv")

    heading, first, second = answer.content.decode().splitlines()
    assert answer["Content-Type"].startswith("text/csv")
    assert heading.startswith("date,status,status_reason,opening_balance,total_pl,")
    assert first.startswith("2026-04-28,completed,,25000,240.20,240.20,")
    assert second.startswith("2026-04-29,completed,,25240.20,-80,")


def test_settled_days_are_drawn_as_a_calendar_that_can_be_read_aloud(browser, bot) -> None:
    settled_days(bot, 24_020, -8_000)

    page = browser.get(f"/bots/{bot.pk}").content.decode()

    assert 'class="up shade-4" title="Tue 28 Apr 2026: +$240.20"' in page
    assert 'class="down shade-2" title="Wed 29 Apr 2026: −$80.00"' in page
    assert '<span class="sr">28 Apr +$240.20</span>' in page


def test_a_doubtful_setting_is_warned_of_beside_the_way_to_change_it(browser, bot) -> None:
    bot.policy["reprice"]["closing"]["enabled"] = False
    bot.save()

    page = browser.get(f"/bots/{bot.pk}").content.decode()

    assert f'href="/bots/{bot.pk}/edit#field-reprice-closing-enabled"' in page
    assert "Exits are not re-priced" in page
