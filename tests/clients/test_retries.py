from __future__ import annotations

import pytest

from launcher.ports import free_port
from tests.clients.scripted import answer, broken_off, refusal, silent
from zerohour_client import (
    ApiError,
    Conflict,
    ConnectionFailed,
    InvalidInput,
    RateLimited,
    ServerError,
    TimedOut,
    Unavailable,
)

USER = {
    "id": "6f1c9f0e-52a1-4c3e-9a68-0f6b2f9f8a11",
    "email": "alice@example.com",
    "fee_schedule": {"open": "1.72", "close": "0.72", "exercise": "5.00"},
    "slippage": "0.05",
}
STRATEGY = {
    "id": "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
    "name": "spread",
    "description": "",
    "privacy": "private",
    "source_hash": "3f" * 32,
    "kind": "program",
    "config": None,
    "program": "times = []\n",
    "created_at": "2026-05-06T20:11:09.412Z",
}
DOWN = refusal(503, "unavailable")


def get_user(client):
    return client.user.get()


def create_strategy(client):
    return client.strategies.create("spread", program="times = []\n")


def update_user(client):
    return client.user.update(slippage="0.10")


def login(client):
    return client.auth.login("alice@example.com", "correct horse battery")


@pytest.mark.parametrize("trouble", [broken_off, DOWN, refusal(502, "x"), answer(504)])
def test_a_read_is_repeated_until_it_is_answered(serve, driver, trouble):
    server = serve(trouble, trouble, answer(200, USER))

    user = driver.use(server, get_user)

    assert user.email == "alice@example.com"
    assert len(server.asked) == 3


def test_the_pauses_double_and_differ_between_clients(serve, driver):
    server = serve(DOWN)

    with pytest.raises(Unavailable):
        driver.use(server, get_user)

    base_seconds = 0.25
    assert len(driver.pauses) == 3
    for power, pause_seconds in enumerate(driver.pauses):
        ceiling = base_seconds * 2**power
        assert ceiling / 2 <= pause_seconds <= ceiling
    assert driver.pauses != [base_seconds, base_seconds * 2, base_seconds * 4]


def test_it_gives_up_with_the_servers_own_words(serve, driver):
    server = serve(refusal(503, "live_trading_unavailable", "The feed is silent."))

    with pytest.raises(Unavailable) as caught:
        driver.use(server, get_user)

    assert len(server.asked) == 4
    assert (caught.value.code, caught.value.message) == (
        "live_trading_unavailable",
        "The feed is silent.",
    )


def test_a_create_carries_one_key_through_all_its_attempts(serve, driver):
    server = serve(broken_off, DOWN, answer(201, STRATEGY))

    driver.use(server, create_strategy)

    keys = set(server.headers("idempotency-key"))
    assert len(server.asked) == 3
    assert len(keys) == 1
    assert None not in keys


def test_two_creates_have_two_keys(serve, driver):
    server = serve(answer(201, STRATEGY))

    driver.use(server, create_strategy)
    driver.use(server, create_strategy)

    first, second = server.headers("idempotency-key")
    assert first != second


def test_a_key_of_the_callers_is_the_one_that_is_sent(serve, driver):
    server = serve(answer(201, STRATEGY))

    driver.use(
        server, lambda client: client.strategies.create("x", program="", idempotency_key="mine")
    )

    assert server.headers("idempotency-key") == ["mine"]


@pytest.mark.parametrize("write", [update_user, login])
@pytest.mark.parametrize(("trouble", "kind"), [(broken_off, ConnectionFailed), (DOWN, Unavailable)])
def test_a_write_of_unknown_outcome_is_not_repeated(serve, driver, write, trouble, kind):
    server = serve(trouble, answer(200, USER))

    with pytest.raises(kind):
        driver.use(server, write)

    assert len(server.asked) == 1


def test_stopping_a_session_is_repeated(serve, driver):
    server = serve(broken_off, refusal(409, "session_terminal"))

    with pytest.raises(Conflict):
        driver.use(server, lambda client: client.sessions.stop("b", "s", flatten=True))

    assert [each.path for each in server.asked] == ["/api/bots/b/sessions/s?flatten=true"] * 2


def test_what_never_left_may_be_sent_again_whatever_it_is(driver):
    nobody = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        driver.use(nobody, login)

    assert len(driver.pauses) == 3


@pytest.mark.parametrize("ask", [get_user, update_user])
def test_a_refusal_for_being_too_fast_is_waited_out(serve, driver, ask):
    server = serve(refusal(429, "rate_limit_exceeded", Retry_After="7"), answer(200, USER))

    driver.use(server, ask)

    (pause_seconds,) = driver.pauses
    assert 7 <= pause_seconds <= 8


def test_a_wait_beyond_patience_is_left_to_the_caller(serve, driver):
    server = serve(refusal(429, "rate_limit_exceeded", Retry_After="3600"))

    with pytest.raises(RateLimited) as caught:
        driver.use(server, get_user)

    assert caught.value.retry_after_seconds == 3600
    assert driver.pauses == []


def test_a_retry_after_that_is_a_date_is_understood(serve, driver):
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    server = serve(refusal(503, "unavailable", Retry_After=past), answer(200, USER))

    driver.use(server, get_user)

    (pause_seconds,) = driver.pauses
    assert pause_seconds <= 0.25


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidInput), (409, Conflict), (500, ServerError)]
)
def test_a_final_answer_is_not_asked_for_again(serve, driver, status, kind):
    server = serve(refusal(status, "some_code"))

    with pytest.raises(kind):
        driver.use(server, get_user)

    assert len(server.asked) == 1


def test_an_answer_that_does_not_come_is_a_time_out(serve, driver):
    server = serve(silent)

    with pytest.raises(TimedOut):
        driver.use(server, login, timeout_seconds=0.2)

    assert len(server.asked) == 1


def test_an_error_names_the_refused_fields(serve, driver):
    body = {"error": "invalid_input", "message": "Two problems.", "fields": {"name": ["too long"]}}
    server = serve(answer(400, body))

    with pytest.raises(ApiError) as caught:
        driver.use(server, create_strategy)

    error = caught.value
    assert (error.status, error.code, error.fields) == (
        400,
        "invalid_input",
        {"name": ["too long"]},
    )
    assert str(error) == "Two problems. (400 invalid_input)"
