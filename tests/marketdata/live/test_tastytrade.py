"""Login, chain and tokens of tastytrade, against its answers on this machine."""

from __future__ import annotations

import logging
import time
from datetime import date

import pytest

from marketdata.feeds.live.tastytrade import PRODUCTION_URL, Credentials, Tastytrade
from marketdata.feeds.live.vendor import IndexValue, NotConfigured, Refused, VendorError
from simengine.market import CALL, PUT, Contract
from tests.marketdata.factories import A_DAY
from tests.marketdata.live.vendor_server import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    QUOTE_TOKEN,
    REFRESH_TOKEN,
)

SECRETS = (CLIENT_SECRET, REFRESH_TOKEN, f"{ACCESS_TOKEN}-1", f'"{QUOTE_TOKEN}"')


@pytest.fixture
def vendor(server):
    made = Tastytrade(Credentials.from_environment(server.env))
    yield made
    made.close()


def test_what_is_not_set_is_named():
    with pytest.raises(
        NotConfigured, match="TASTYTRADE_CLIENT_SECRET and TASTYTRADE_REFRESH_TOKEN"
    ):
        Credentials.from_environment({})
    with pytest.raises(NotConfigured, match="Set TASTYTRADE_REFRESH_TOKEN in"):
        Credentials.from_environment({"TASTYTRADE_CLIENT_SECRET": "x"})


def test_without_an_address_it_is_production():
    env = {"TASTYTRADE_CLIENT_SECRET": "x", "TASTYTRADE_REFRESH_TOKEN": "y"}

    assert Credentials.from_environment(env).url == PRODUCTION_URL


def test_credentials_do_not_print():
    credentials = Credentials(CLIENT_SECRET, REFRESH_TOKEN)

    assert CLIENT_SECRET not in repr(credentials)
    assert REFRESH_TOKEN not in repr(credentials)


def test_the_chain_is_spxw_of_the_day_both_sides(server, vendor):
    chain = vendor.chain(A_DAY)

    assert len(chain) == 2 * len(server.strikes)
    assert chain[Contract(CALL, 595_000)] == ".SPXW260507C5950"
    assert chain[Contract(PUT, 550_000)] == ".SPXW260507P5500"


def test_a_day_nothing_expires_on_is_an_error(vendor):
    with pytest.raises(VendorError, match="no SPXW contracts expire on 2026-05-09"):
        vendor.chain(date(2026, 5, 9))


def test_quotes_and_indices_stream(server, vendor):
    stream = vendor.open(A_DAY)
    stream.subscribe(add={595_000}, remove=())

    seen = set()
    deadline = time.monotonic() + 5
    while len(seen) < 4 and time.monotonic() < deadline:
        for event in stream.receive(0.1):
            seen.add(event.name if isinstance(event, IndexValue) else getattr(event, "contract", 0))
        seen.discard(0)
    stream.close()

    assert seen == {"SPX", "VIX", Contract(CALL, 595_000), Contract(PUT, 595_000)}
    assert "level api" in stream.about


def test_a_token_that_holds_is_used_again(server, vendor):
    vendor.chain(A_DAY)
    vendor.quote_token()

    assert server.requests.count("POST /oauth/token") == 1


def test_an_expired_access_token_is_renewed(server):
    now = [1_000.0]
    credentials = Credentials.from_environment(server.env)
    vendor = Tastytrade(credentials, monotonic=lambda: now[0])
    vendor.quote_token()

    now[0] += 850
    vendor.quote_token()
    vendor.close()

    assert server.requests.count("POST /oauth/token") == 2


def test_an_access_token_taken_back_early_is_renewed_once(server, vendor):
    vendor.quote_token()
    server.trouble.revokes_access_tokens = True

    assert vendor.quote_token().url == server.stream_url
    assert server.requests.count("POST /oauth/token") == 2


def test_refused_credentials_are_told_apart_and_tried_once(server):
    wrong = Credentials("wrong", REFRESH_TOKEN, server.url)
    vendor = Tastytrade(wrong)

    with pytest.raises(Refused, match="answers 400: invalid_grant Grant revoked or invalid"):
        vendor.open(A_DAY)
    vendor.close()

    assert server.requests == ["POST /oauth/token"]


def test_somebody_without_an_account_is_refused(server, vendor):
    server.trouble.quote_token_answer = (
        403,
        {
            "error": {
                "code": "quote_streamer.customer_not_found_error",
                "message": "You must be a customer to access a quote stream.",
            }
        },
    )

    with pytest.raises(Refused, match="You must be a customer"):
        vendor.quote_token()


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"error": {"code": "internal", "message": "oops"}}),
        (502, b"<html>Bad Gateway</html>"),
        (429, {"error": {"code": "too_many_requests", "message": "Slow down"}}),
        (200, b"not json"),
        (200, []),
        (200, {"data": None}),
        (200, {"data": {"token": "only"}}),
    ],
)
def test_an_answer_that_cannot_be_used_is_worth_another_try(server, vendor, answer):
    server.trouble.quote_token_answer = answer

    with pytest.raises(VendorError) as raised:
        vendor.quote_token()

    assert not isinstance(raised.value, Refused)


@pytest.mark.parametrize("answer", [{}, {"items": 3}, {"items": [{}]}, {"items": [None]}])
def test_a_chain_that_cannot_be_read_is_an_error(server, vendor, answer):
    server.trouble.chain_answer = (200, {"data": answer})

    with pytest.raises(VendorError):
        vendor.chain(A_DAY)


def test_a_vendor_that_is_away_is_an_error(server, vendor):
    server._rest.shutdown()
    server._rest.server_close()

    with pytest.raises(VendorError, match="/oauth/token"):
        vendor.open(A_DAY)


def test_a_server_that_repeats_a_secret_does_not_get_it_into_our_words(server, vendor):
    server.trouble.token_answer = (400, {"error": f"bad {REFRESH_TOKEN} of {CLIENT_SECRET}"})

    with pytest.raises(Refused) as raised:
        vendor.open(A_DAY)

    assert "bad *** of ***" in str(raised.value)


def test_no_secret_is_logged_even_where_everything_is(server, vendor, caplog):
    client_loggers = ("httpx", "httpcore", "websockets.client", "marketdata", "")
    for name in client_loggers:
        caplog.set_level(logging.DEBUG, logger=name)

    stream = vendor.open(A_DAY)
    stream.subscribe(add={595_000}, remove=())
    stream.receive(0.2)
    stream.close()

    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.server")]
    assert any("oauth/token" in message for message in ours)
    for secret in SECRETS:
        assert not [message for message in ours if secret in message]
