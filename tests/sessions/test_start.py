"""POST /bots/{id}/sessions: the refusals in their order, and what a start freezes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sessions.lifecycle import Status
from sessions.models import BotSession
from tests.factories import PROGRAM, BotSessionFactory
from tests.sessions import market
from tests.sessions.conftest import put_spread

pytestmark = pytest.mark.django_db


def start(client, bot, **headers):
    return client.post(f"/api/bots/{bot.pk}/sessions", headers=headers)


def test_a_start_opens_with_the_carried_balance_and_the_frozen_policy(
    alice, client_for, make_bot, open_market
):
    bot = make_bot(PROGRAM, cash_balance_cents=2_531_240)

    response = start(client_for(alice), bot)

    body = response.json()
    assert response.status_code == 201
    assert (body["status"], body["date"]) == ("registering", "2026-05-07")
    assert body["opening_balance"] == "25312.40"
    assert body["policy"] == bot.policy
    assert body["fee_schedule"] == {"open": "1.72", "close": "0.72", "exercise": "5.00"}
    assert body["final_nlv"] is None
    assert BotSession.objects.get().first_seq == 2  # the tick after the last one there is


def test_it_needs_a_token(client_for, make_bot, open_market, client):
    response = start(client, make_bot(PROGRAM))

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


def test_anothers_bot_does_not_exist(bob, client_for, make_bot, open_market):
    response = start(client_for(bob), make_bot(PROGRAM))

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_an_archived_bot_is_not_idle(alice, client_for, make_bot, open_market):
    response = start(client_for(alice), make_bot(PROGRAM, archived=True))

    assert (response.status_code, response.json()["error"]) == (409, "bot_not_idle")


def test_a_live_session_makes_the_bot_not_idle(alice, client_for, make_bot, open_market):
    bot = make_bot(PROGRAM)
    client = client_for(alice)
    start(client, bot)

    response = start(client, bot)

    assert (response.status_code, response.json()["error"]) == (409, "bot_not_idle")


def test_a_second_session_on_the_same_day_is_refused(alice, client_for, make_bot, open_market):
    bot = make_bot(PROGRAM)
    BotSessionFactory(bot=bot, trading_date=market.DAY, settled=True)

    response = start(client_for(alice), bot)

    assert (response.status_code, response.json()["error"]) == (409, "bot_session_exists")


def test_unsettled_positions_of_an_earlier_day_make_the_bot_not_idle(
    alice, client_for, make_bot, open_market
):
    bot = make_bot(PROGRAM)
    BotSessionFactory(
        bot=bot, trading_date=market.DAY - timedelta(days=1), status=Status.KILLED, settled_at=None
    )

    response = start(client_for(alice), bot)

    assert (response.status_code, response.json()["error"]) == (409, "bot_not_idle")


@pytest.mark.parametrize(
    ("from_the_open", "status", "code"),
    [
        (timedelta(seconds=-1), 422, "outside_rth"),  # 9:29:59
        (timedelta(0), 201, None),  # 9:30:00
        (timedelta(hours=6, minutes=29, seconds=59), 201, None),  # 15:59:59
        (timedelta(hours=6, minutes=30), 422, "outside_rth"),  # 16:00:00
    ],
)
def test_only_regular_hours_of_the_market_clock_count(
    alice, client_for, make_bot, from_the_open, status, code
):
    day = market.announce()
    market.set_clock(market.OPEN_AT + from_the_open, day)

    response = start(client_for(alice), make_bot(PROGRAM))

    assert (response.status_code, response.json().get("error")) == (status, code)


def test_a_silent_feed_is_unavailable(alice, client_for, make_bot, open_market):
    bot = make_bot(PROGRAM)
    market.set_clock(market.OPEN_AT, market.MarketDay.objects.get(), silent_seconds=6)

    response = start(client_for(alice), bot)

    assert (response.status_code, response.json()["error"]) == (503, "live_trading_unavailable")


def test_no_capacity_is_unavailable(alice, client_for, make_bot, open_market, settings):
    settings.SESSION_CAPACITY = 0

    response = start(client_for(alice), make_bot(PROGRAM))

    assert (response.status_code, response.json()["error"]) == (503, "live_trading_unavailable")


def test_a_program_that_cannot_load_leaves_no_session(alice, client_for, make_bot, open_market):
    bot = make_bot("def at(ctx:\n")

    response = start(client_for(alice), bot)

    assert (response.status_code, response.json()["error"]) == (422, "register_sim_failed")
    assert not BotSession.objects.exists()


def test_a_body_is_refused_by_its_unknown_fields(alice, client_for, make_bot, open_market):
    bot = make_bot(PROGRAM)

    response = client_for(alice).post(
        f"/api/bots/{bot.pk}/sessions", {"starting_capital": "1"}, format="json"
    )

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["starting_capital"]


def test_the_same_idempotency_key_starts_once(alice, client_for, make_bot, open_market):
    bot = make_bot(PROGRAM)
    client = client_for(alice)

    first = start(client, bot, **{"Idempotency-Key": "k1"})
    again = start(client, bot, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_policy_of_a_started_session_does_not_follow_the_bot(
    alice, client_for, make_bot, open_market
):
    bot = make_bot(put_spread())
    client = client_for(alice)
    session_id = start(client, bot).json()["session_id"]

    client.patch(f"/api/bots/{bot.pk}", {"max_daily_loss_pct": "0.0150"}, format="json")

    session = client.get(f"/api/bots/{bot.pk}/sessions/{session_id}").json()
    assert session["policy"]["max_daily_loss_pct"] == "0.0500"
    assert client.get(f"/api/bots/{bot.pk}").json()["bot"]["max_daily_loss_pct"] == "0.0150"
