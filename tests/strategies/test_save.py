"""POST /strategies: a form or a program is saved, or refused with the place."""

from __future__ import annotations

import pytest

from strategies import examples, services
from strategies.models import StrategyLink
from strategies.runtime.program import parse_program
from strategies.runtime.sandbox import SandboxUnavailable
from tests.strategies.answers import refusal

PROGRAM = "def on_tick(ctx):\n    ctx.state = 1\n"


def test_a_form_is_saved(owner, form):
    response = owner.post("/api/strategies", {"name": "Delta-30 put spread", "config": form})

    saved = response.json()
    assert response.status_code == 201
    assert set(saved) == {
        "id",
        "name",
        "description",
        "privacy",
        "source_hash",
        "kind",
        "config",
        "program",
        "created_at",
    }
    assert (saved["kind"], saved["privacy"], saved["config"]) == ("form", "private", form)
    assert saved["source_hash"] == parse_program(saved["program"]).source_hash
    assert saved["created_at"].endswith("Z")


def test_a_program_is_saved_exactly_as_sent(owner):
    text = "\n  \n" + PROGRAM + "\n# the end  \n"

    saved = owner.post("/api/strategies/", {"name": "by hand", "program": text}).json()

    assert (saved["kind"], saved["config"], saved["program"]) == ("program", None, text)
    assert StrategyLink.objects.get(pk=saved["id"]).strategy.program == text


def test_name_description_and_privacy_are_kept(owner):
    body = {"name": " spread ", "description": "d", "privacy": "public", "program": PROGRAM}

    saved = owner.post("/api/strategies", body).json()

    assert (saved["name"], saved["description"], saved["privacy"]) == ("spread", "d", "public")


def test_a_form_with_problems_is_refused_with_their_paths(owner, form):
    form["legs"][0]["strike"]["value"] = 30
    form["entry"]["times"][1] = "16:30"

    response = owner.post("/api/strategies", {"name": "x", "config": form})

    assert refusal(response) == (400, "invalid_config")
    assert response.json()["fields"] == {
        "legs[0].strike.value": ["must be a number from 0.01 to 0.99"],
        "entry.times[1]": ["must be from 09:30 to 15:59:59, inside the session"],
    }


@pytest.mark.parametrize("config", [[], "form", 3, {}])
def test_what_is_no_form_is_refused(owner, config):
    response = owner.post("/api/strategies", {"name": "x", "config": config})

    assert refusal(response) == (400, "invalid_config")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("def on_tick(ctx):\n  while\n", "line 2, column 8: invalid syntax"),
        ("import os\n", "line 1, column 1: `os` cannot be imported"),
        ("def on_tick(ctx):\n    pass\nX = 1 / 0\n", "line 3"),
        ("#" * 70_000, "70000 bytes"),
        ("", "at least one of"),
    ],
)
def test_a_program_with_a_problem_is_refused_with_its_place(owner, program, why):
    response = owner.post("/api/strategies", {"name": "x", "program": program})

    assert refusal(response) == (400, "invalid_program")
    assert why in response.json()["fields"]["program"][0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"program": PROGRAM}, "name"),
        ({"name": "", "program": PROGRAM}, "name"),
        ({"name": "x" * 81, "program": PROGRAM}, "name"),
        ({"name": 3, "program": PROGRAM}, "name"),
        ({"name": "x"}, "config"),
        ({"name": "x", "config": {}, "program": PROGRAM}, "config"),
        ({"name": "x", "program": 3}, "program"),
        ({"name": "x", "program": None}, "program"),
        ({"name": "x", "program": PROGRAM, "privacy": "secret"}, "privacy"),
        ({"name": "x", "program": PROGRAM, "description": "d" * 2001}, "description"),
        ({"name": "x", "program": PROGRAM, "owner": "bob"}, "owner"),
    ],
)
def test_a_malformed_body_is_refused_by_field(owner, body, field):
    response = owner.post("/api/strategies", body)

    assert refusal(response) == (400, "invalid_input")
    assert field in response.json()["fields"]
    assert not StrategyLink.objects.exists()


def test_a_repeated_save_makes_one_link(owner):
    body = {"name": "once", "program": PROGRAM}

    responses = [
        owner.post("/api/strategies", body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert responses[0].json() == responses[1].json()
    assert responses[1]["Idempotent-Replayed"] == "true"
    assert StrategyLink.objects.count() == 1


@pytest.mark.parametrize("path", ["", "/preview"])
def test_without_workers_programs_cannot_be_saved(owner, monkeypatch, path):
    def down():
        raise SandboxUnavailable("no worker")

    monkeypatch.setattr(services, "shared_sandbox", down)
    body = {"program": PROGRAM} if path else {"name": "x", "program": PROGRAM}

    response = owner.post(f"/api/strategies{path}", body)

    assert refusal(response) == (503, "sandbox_unavailable")


def test_the_examples_of_the_documentation_are_true(owner):
    saved = owner.post("/api/strategies", examples.SAVE_FORM).json()
    by_hand = owner.post("/api/strategies", examples.SAVE_PROGRAM)

    assert {**saved, "id": examples.LINK["id"], "created_at": examples.LINK["created_at"]} == (
        examples.LINK
    )
    assert by_hand.status_code == 201
