"""POST /strategies/preview: what would be saved, or the problems."""

from __future__ import annotations

from tests.strategies.answers import refusal

PROGRAM = "def on_tick(ctx):\n    ctx.state = 1\n"


def test_the_preview_shows_what_would_be_saved(owner, form):
    shown = owner.post("/api/strategies/preview", {"config": form}).json()
    saved = owner.post("/api/strategies", {"name": "x", "config": form}).json()

    assert shown == {
        "source_hash": saved["source_hash"],
        "program": saved["program"],
        "problems": [],
    }


def test_the_preview_answers_with_the_problems(owner, form):
    form["legs"][0]["qty"] = 0

    response = owner.post("/api/strategies/preview", {"config": form})

    assert response.status_code == 200
    assert response.json() == {
        "source_hash": None,
        "program": None,
        "problems": [
            {
                "path": "legs[0].qty",
                "message": "must be a whole number from 1 to 100",
                "line": None,
                "column": None,
            }
        ],
    }


def test_the_preview_of_a_program_names_line_and_column(owner):
    body = {"program": "def on_tick(ctx):\n    eval('1')\n"}

    (problem,) = owner.post("/api/strategies/preview", body).json()["problems"]

    assert (problem["path"], problem["line"], problem["column"]) == ("program", 2, 5)


def test_the_preview_wants_one_source(owner):
    assert refusal(owner.post("/api/strategies/preview", {})) == (400, "invalid_input")
