"""Every bound of the policy, on it and beside it, on create and on PATCH."""

from __future__ import annotations

import pytest

# field: (wrong below, lowest, highest, wrong above, other wrong values)
NUMBERS = {
    "max_daily_loss_pct": ("0.0049", "0.0050", "0.5000", "0.5001"),
    "max_open_positions": (0, 1, 100, 101),
    "max_open_orders": (0, 1, 50, 51),
    "data_staleness_threshold_ms": (499, 500, 10_000, 10_001),
    "error_budget": (-1, 0, 100, 101),
    "reprice.opening.nudge_after_seconds": (0, 1, 600, 601),
    "reprice.opening.min_interval_seconds": (0, 1, 120, 121),
    "reprice.opening.flat_tolerance_ticks": (0, 1, 20, 21),
    "reprice.opening.max_concession": ("-0.05", "0.00", "10.00", "10.05"),
    "reprice.closing.nudge_after_seconds": (0, 1, 600, 601),
    "reprice.closing.min_interval_seconds": (0, 1, 120, 121),
    "reprice.closing.flat_tolerance_ticks": (0, 1, 20, 21),
}
FLAGS = ["auto_pause_on_error", "reprice.opening.enabled", "reprice.closing.enabled"]
ODD = [
    ("max_daily_loss_pct", "0.02005"),
    ("reprice.opening.max_concession", "0.07"),
    ("reprice.opening.max_concession", "0.051"),
    *[(path, value) for path in NUMBERS for value in (None, True, "", "x", [], {}, "1e400", "NaN")],
    *[(path, 1.5) for path in NUMBERS if "pct" not in path and "concession" not in path],
    *[(path, value) for path in FLAGS for value in (None, 0, 1, "true", [], {})],
    ("reprice.closing.max_concession", "0.20"),
    ("reprice.opening.surprise", 1),
    ("reprice.closing.surprise", 1),
    ("reprice.surprise", {}),
    ("reprice", None),
    ("reprice", []),
    ("reprice", True),
    ("reprice.opening", None),
    ("reprice.opening", 5),
    ("reprice.closing", []),
]

ACCEPTED = [
    *[(path, row[at]) for path, row in NUMBERS.items() for at in (1, 2)],
    *[(path, value) for path in FLAGS for value in (True, False)],
]
REFUSED = [*[(path, row[at]) for path, row in NUMBERS.items() for at in (0, 3)], *ODD]


def nested(path: str, value: object) -> dict:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def at(path: str, answer: dict) -> object:
    for name in path.split("."):
        answer = answer[name]
    return answer


def assert_refused_at(response, path: str) -> None:
    code = "invalid_reprice" if path.startswith("reprice") else "invalid_input"
    assert (response.status_code, response.json()["error"]) == (400, code)
    assert list(response.json()["fields"]) == [path]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_create_takes_a_value_on_its_bound(owner, body, path, value):
    response = owner.post("/api/bots", {**body, **nested(path, value)})

    assert response.status_code == 201
    assert at(path, response.json()) == value


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_patch_takes_a_value_on_its_bound(owner, bot, path, value):
    response = owner.patch(f"/api/bots/{bot.pk}", nested(path, value))

    assert response.status_code == 200
    assert at(path, response.json()) == value


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_create_refuses_a_value_beside_its_bound(owner, body, path, value):
    response = owner.post("/api/bots", {**body, **nested(path, value)})

    assert_refused_at(response, path)


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_patch_refuses_a_value_beside_its_bound_and_changes_nothing(owner, bot, path, value):
    response = owner.patch(f"/api/bots/{bot.pk}", {"name": "renamed", **nested(path, value)})

    assert_refused_at(response, path)
    bot.refresh_from_db()
    assert bot.name != "renamed"


@pytest.mark.parametrize(
    ("path", "sent", "answered"),
    [
        ("max_daily_loss_pct", 0.02, "0.0200"),
        ("max_daily_loss_pct", "0.02", "0.0200"),
        ("max_daily_loss_pct", ".02", "0.0200"),
        ("reprice.opening.max_concession", 0.1, "0.10"),
        ("reprice.opening.max_concession", 1, "1.00"),
        ("reprice.opening.max_concession", "0.1", "0.10"),
        ("max_open_positions", "4", 4),
        ("max_open_positions", 4.0, 4),
    ],
)
def test_numbers_are_taken_in_every_sane_form_and_answered_in_one(owner, bot, path, sent, answered):
    response = owner.patch(f"/api/bots/{bot.pk}", nested(path, sent))

    assert at(path, response.json()) == answered
