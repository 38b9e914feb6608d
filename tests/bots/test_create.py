from __future__ import annotations

import pytest

from bots.models import Bot

DEFAULT_REPRICE = {
    "opening": {
        "enabled": True,
        "nudge_after_seconds": 20,
        "min_interval_seconds": 4,
        "flat_tolerance_ticks": 1,
        "max_concession": "0.20",
    },
    "closing": {
        "enabled": True,
        "nudge_after_seconds": 15,
        "min_interval_seconds": 4,
        "flat_tolerance_ticks": 1,
    },
}


def refusal(response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_the_answer_is_the_bot_object_with_the_defaults_of_the_page(owner, link, body):
    response = owner.post("/api/bots", body)

    bot = Bot.objects.get()
    answer = response.json()
    assert response.status_code == 201
    assert answer.pop("created_at").endswith("Z")
    assert answer.pop("updated_at").endswith("Z")
    assert answer == {
        "id": str(bot.pk),
        "name": "spread",
        "description": "",
        "type": "bot",
        "engine": "live_sim",
        "strategy_id": str(link.pk),
        "strategy": {
            "source_hash": link.strategy_id,
            "kind": "program",
            "name": "Delta-30 put spread",
        },
        "status": "idle",
        "runtime_status": "idle",
        "starting_capital": "25000",
        "cash_balance": "25000",
        "max_daily_loss_pct": "0.0500",
        "max_open_positions": 10,
        "max_open_orders": 10,
        "data_staleness_threshold_ms": 3000,
        "auto_pause_on_error": True,
        "error_budget": 5,
        "reprice": DEFAULT_REPRICE,
        "schedule": {"auto_start": False, "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
        "active_session": None,
        "last_session": None,
    }


def test_what_was_sent_is_what_the_bot_has(owner, body):
    sent = {
        **body,
        "description": "Runs my 30-delta credit spread live\n",
        "engine": "live_sim",
        "max_daily_loss_pct": "0.0200",
        "max_open_positions": 4,
        "max_open_orders": 3,
        "data_staleness_threshold_ms": 2000,
        "auto_pause_on_error": False,
        "error_budget": 0,
        "schedule": {"auto_start": True, "weekdays": ["fri", "mon"]},
    }

    answer = owner.post("/api/bots", sent).json()

    assert {name: answer[name] for name in sent} == {
        **sent,
        "schedule": {"auto_start": True, "weekdays": ["mon", "fri"]},
    }


def test_a_partial_reprice_keeps_every_other_default(owner, body):
    response = owner.post("/api/bots", {**body, "reprice": {"opening": {"max_concession": "0.10"}}})

    assert response.json()["reprice"] == {
        **DEFAULT_REPRICE,
        "opening": {**DEFAULT_REPRICE["opening"], "max_concession": "0.10"},
    }


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("1000", "1000"),
        ("1000.00", "1000"),
        ("25312.40", "25312.40"),
        (25000, "25000"),
        (25000.5, "25000.50"),
        ("1000000000", "1000000000"),
        (" 25000 ", "25000"),
    ],
)
def test_starting_capital_is_taken_as_string_or_number_and_answered_plain(
    owner, body, sent, answered
):
    response = owner.post("/api/bots", {**body, "starting_capital": sent})

    assert response.status_code == 201
    assert response.json()["starting_capital"] == answered
    assert response.json()["cash_balance"] == answered


@pytest.mark.parametrize("name", ["x", "x" * 80, "Ωmega — 30Δ"])
def test_a_name_has_one_to_eighty_characters(owner, body, name):
    response = owner.post("/api/bots", {**body, "name": name})

    assert (response.status_code, response.json()["name"]) == (201, name)


def test_spaces_around_a_name_do_not_count(owner, body):
    response = owner.post("/api/bots", {**body, "name": "  spread  "})

    assert response.json()["name"] == "spread"


def test_a_trailing_slash_makes_no_difference(owner, body):
    response = owner.post("/api/bots/", body)

    assert response.status_code == 201


def test_the_same_idempotency_key_makes_one_bot_and_the_same_answer(owner, body):
    first, again = (
        owner.post("/api/bots", body, headers={"Idempotency-Key": "one"}) for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Bot.objects.count() == 1


def test_the_same_idempotency_key_for_another_body_is_refused(owner, body):
    owner.post("/api/bots", body, headers={"Idempotency-Key": "one"})

    response = owner.post(
        "/api/bots", {**body, "name": "other"}, headers={"Idempotency-Key": "one"}
    )

    assert refusal(response) == (422, "idempotency_key_reused")
