"""Fifty requests at once against the running system: one effect, whatever comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.live import CAPITAL, Live

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

AT_ONCE = 50
Call = tuple[str, str, Any]  # method, path, body


def together(live: Live, calls: Sequence[Call], key: str = "") -> list[httpx.Response]:
    """The answers to alice's calls, all of them open at the same time."""

    async def send_all() -> list[httpx.Response]:
        headers = {"Authorization": live.alice.token, **({"Idempotency-Key": key} if key else {})}
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(headers=headers, limits=limits, timeout=60) as client:
            asked = [
                client.request(method, live.url + path, json=body) for method, path, body in calls
            ]
            return list(await asyncio.gather(*asked))

    return asyncio.run(send_all())


def codes(answers: Sequence[httpx.Response]) -> Counter[str]:
    return Counter("ok" if each.is_success else each.json()["error"] for each in answers)


def bot_body(live: Live) -> dict[str, str]:
    name = f"spread {uuid4()}"
    return {"strategy_id": live.alice.link, "name": name, "starting_capital": CAPITAL}


def named(live: Live, name: str) -> list[dict[str, Any]]:
    return [bot for bot in live.alice.api.get("/bots") if bot["name"] == name]


def test_fifty_parallel_starts_make_one_session(live):
    path = f"/bots/{live.alice.new_bot()['bot_id']}/sessions"

    answers = together(live, [("POST", path, None)] * AT_ONCE)

    found = codes(answers)
    assert found["ok"] == 1
    assert found["ok"] + found["bot_not_idle"] + found["bot_session_exists"] == AT_ONCE
    assert len(live.alice.api.get(path)) == 1


def test_fifty_parallel_creates_of_one_name_make_one_bot(live):
    body = bot_body(live)

    answers = together(live, [("POST", "/bots", body)] * AT_ONCE)

    assert codes(answers) == {"ok": 1, "name_taken": AT_ONCE - 1}
    assert len(named(live, body["name"])) == 1


def test_fifty_parallel_patches_lose_no_field(live):
    path = f"/bots/{live.alice.new_bot()['bot_id']}"
    changes: list[dict[str, Any]] = [
        {"name": f"renamed {uuid4()}"},
        {"description": "described"},
        {"max_daily_loss_pct": "0.0300"},
        {"max_open_positions": 77},
        {"max_open_orders": 33},
        {"data_staleness_threshold_ms": 4000},
        {"auto_pause_on_error": False},
        {"error_budget": 44},
        {"schedule": {"weekdays": ["fri"]}},
        {"reprice": {"closing": {"nudge_after_seconds": 99}}},
    ]
    opening = {"enabled": False, "nudge_after_seconds": 98, "min_interval_seconds": 7}
    opening |= {"flat_tolerance_ticks": 3, "max_concession": "0.55"}
    changes += [{"reprice": {"opening": {name: value}}} for name, value in opening.items()]
    repeated = (changes * AT_ONCE)[:AT_ONCE]

    answers = together(live, [("PATCH", path, change) for change in repeated])

    bot = live.alice.api.get(path)["bot"]
    assert codes(answers) == {"ok": AT_ONCE}
    assert bot["reprice"]["opening"] == opening
    assert bot["reprice"]["closing"]["nudge_after_seconds"] == 99
    assert bot["schedule"]["weekdays"] == ["fri"]
    assert {name: bot[name] for change in changes[:8] for name in change} == {
        name: value for change in changes[:8] for name, value in change.items()
    }


@pytest.mark.parametrize("what", ["a bot", "a session"])
def test_fifty_retries_with_one_key_are_one_effect_and_one_answer(live, what):
    body = bot_body(live) if what == "a bot" else None
    path = "/bots" if body else f"/bots/{live.alice.new_bot()['bot_id']}/sessions"

    answers = together(live, [("POST", path, body)] * AT_ONCE, key=str(uuid4()))

    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert sum("Idempotent-Replayed" in each.headers for each in answers) == AT_ONCE - 1
    assert len(named(live, body["name"]) if body else live.alice.api.get(path)) == 1


def test_deletes_against_starts_leave_a_bot_with_its_session_or_nothing(live):
    path = f"/bots/{live.alice.new_bot()['bot_id']}"
    race: list[Call] = [("POST", f"{path}/sessions", None), ("DELETE", path, None)]

    answers = together(live, race * (AT_ONCE // 2))

    starts, deletes = codes(answers[::2]), codes(answers[1::2])
    status, bot = live.alice.api.call("GET", path)
    assert starts["ok"] + deletes["ok"] == 1
    assert (status, len(bot.get("sessions", []))) == ((200, 1) if starts["ok"] else (404, 0))
    assert starts.keys() <= {"ok", "bot_not_idle", "bot_session_exists", "not_found"}
    assert deletes.keys() <= {"ok", "bot_has_active_session", "not_found"}


def test_stops_and_cancels_of_one_session_at_once_stop_it_once(live):
    session = live.alice.new_session()
    path = f"/bots/{session['bot_id']}/sessions/{session['session_id']}"
    race: list[Call] = [("DELETE", path, None), ("POST", f"{path}/cancel-all-orders", None)]

    answers = together(live, race * (AT_ONCE // 2))

    assert {each.status_code for each in answers} <= {202, 409}
    assert codes(answers[::2])["ok"] >= 1
    assert codes(answers).keys() <= {"ok", "session_terminal"}
