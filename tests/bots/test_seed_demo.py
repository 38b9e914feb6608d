from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from bots import demo, queries
from bots.models import Bot
from marketdata.models import MarketDay
from strategies.models import StrategyLink
from tests.factories import TODAY, UserFactory, at_new_york_noon

pytestmark = pytest.mark.django_db
NAMES = ["30-delta put credit spread", "16-delta iron condor", "Market watcher"]


def seed(**options) -> dict[str, str]:
    printed = StringIO()
    call_command("seed_demo", stdout=printed, **options)
    return json.loads(printed.getvalue().splitlines()[-1])


def bots_seen_with(token: str) -> list[dict]:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=token)
    return client.get("/api/bots").json()


def test_the_last_line_signs_in_to_three_bots_that_start_by_themselves():
    answer = seed()

    bots = bots_seen_with(answer["token"])
    assert (answer["email"], answer["password"]) == ("demo@zerohour.local", "zerohour-demo")
    assert {bot["name"] for bot in bots} == set(NAMES)
    assert all(bot["schedule"]["auto_start"] for bot in bots)
    assert {bot["name"]: bot["starting_capital"] for bot in bots} == dict(
        zip(NAMES, ["25000", "100000", "25000"], strict=True)
    )
    assert {bot["name"]: bot["strategy"]["kind"] for bot in bots} == dict(
        zip(NAMES, ["form", "form", "program"], strict=True)
    )


def test_the_printed_password_signs_in(client):
    answer = seed()

    response = client.post(
        "/api/auth/sessions",
        {"email": answer["email"], "password": answer["password"]},
        content_type="application/json",
    )

    assert response.status_code == 201


def test_seeding_again_adds_nothing_and_hands_out_another_token():
    first = seed()
    Bot.objects.filter(name=NAMES[0]).update(status=Bot.Status.ARCHIVED)

    second = seed()

    assert Bot.objects.count() == StrategyLink.objects.count() == 3
    assert first["token"] != second["token"]
    assert len(bots_seen_with(first["token"])) == len(bots_seen_with(second["token"])) == 3


def test_another_address_and_password_make_another_account():
    seed()

    answer = seed(email="Me@Example.com", password="my own")

    assert (answer["email"], answer["password"]) == ("me@example.com", "my own")
    assert Bot.objects.count() == 6


def test_an_account_with_another_password_is_left_alone():
    UserFactory(email="demo@zerohour.local")

    with pytest.raises(CommandError) as refused:
        seed()

    assert refused.value.returncode == 2
    assert not Bot.objects.exists()


def test_the_demo_bots_are_due_on_the_next_day():
    seed()
    opening = at_new_york_noon(TODAY)
    day = MarketDay(trading_date=TODAY, open_at=opening, close_at=opening + timedelta(hours=4))

    assert queries.due_for_auto_start(day).count() == 3


@pytest.mark.parametrize("form", [demo.PUT_SPREAD_FORM, demo.CONDOR_FORM])
def test_every_form_enters_in_the_morning_and_on_an_afternoon_tape(form):
    times = form["entry"]["times"]

    assert min(times) < "12:00"
    assert sum(time > "13:00" for time in times) >= 2
    assert max(times) < form["exit"]["time"]
