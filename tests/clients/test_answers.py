"""What comes back, read: every shape, pages, and what is not ours to read."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tests.clients.conftest import TOKEN
from tests.clients.scripted import answer
from tests.clients.test_retries import STRATEGY, USER
from tests.contract.document import operations
from zerohour_client import (
    Forbidden,
    NotFound,
    Unauthorized,
    UnexpectedAnswer,
    Unprocessable,
    Zerohour,
    models,
)
from zerohour_client._calls import Paged
from zerohour_client._exchange import failure_of
from zerohour_client._shapes import decode, encode
from zerohour_client.errors import KIND_OF_STATUS
from zerohour_client.operations import accounts, bots, market, service, sessions, strategies

IDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
CALLS = {
    "POST /auth/verify-email": accounts.request_code("a@example.com"),
    "POST /auth/register": accounts.register("a@example.com", "123456", "secret"),
    "POST /auth/sessions": accounts.create_token("a@example.com", "secret"),
    "DELETE /auth/sessions": accounts.logout(),
    "GET /auth/tokens": accounts.list_tokens(),
    "DELETE /auth/tokens/{token_id}": accounts.revoke_token(IDS[0]),
    "GET /user": accounts.get_user(),
    "PATCH /user": accounts.update_user(slippage="0.10"),
    "GET /strategies": strategies.list_strategies(),
    "POST /strategies": strategies.create_strategy("x", program=""),
    "GET /strategies/{strategy_id}": strategies.get_strategy(IDS[0]),
    "PATCH /strategies/{strategy_id}": strategies.update_strategy(IDS[0], name="y"),
    "DELETE /strategies/{strategy_id}": strategies.delete_strategy(IDS[0]),
    "POST /strategies/{strategy_id}/clone": strategies.clone_strategy(IDS[0]),
    "POST /strategies/preview": strategies.preview_strategy(program=""),
    "GET /strategies/form-schema": strategies.get_form_schema(),
    "GET /strategies/templates": strategies.list_templates(),
    "GET /bots": bots.list_bots(),
    "POST /bots": bots.create_bot("x", IDS[0], 25000),
    "GET /bots/{bot_id}": bots.get_bot(IDS[0]),
    "PATCH /bots/{bot_id}": bots.update_bot(IDS[0], name="y"),
    "DELETE /bots/{bot_id}": bots.delete_bot(IDS[0]),
    "GET /bots/{bot_id}/summary": bots.get_summary(IDS[0]),
    "GET /bots/{bot_id}/adjustments": bots.list_adjustments(IDS[0]),
    "GET /bots/{bot_id}/sessions": sessions.list_sessions(IDS[0]),
    "POST /bots/{bot_id}/sessions": sessions.start_session(IDS[0]),
    "GET /bots/{bot_id}/sessions/{session_id}": sessions.get_session(*IDS),
    "DELETE /bots/{bot_id}/sessions/{session_id}": sessions.stop_session(*IDS),
    "POST /bots/{bot_id}/sessions/{session_id}/cancel-all-orders": sessions.cancel_all_orders(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/integrity": sessions.get_integrity(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/orders": sessions.list_orders(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/positions": sessions.list_positions(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/transactions": sessions.list_transactions(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/decision-log": sessions.list_decisions(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/events": sessions.list_events(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/entries": sessions.list_entries(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/financials": sessions.list_financials(*IDS),
    "GET /bots/{bot_id}/sessions/{session_id}/stream": sessions.stream_session(*IDS),
    "GET /market-data/status": market.get_status(),
    "GET /market-data/chain": market.get_chain(),
    "GET /market-data/historical/{trading_date}": market.list_history("2026-05-07"),
    "GET /market-data/stream": market.stream_market(),
    "GET /health": service.get_health(),
    "GET /ready": service.get_ready(),
    "GET /openapi.yaml": service.get_openapi(),
}
NOT_IN_THE_CLIENT = {"GET /docs"}  # for browsers


def call_of(operation):
    return operation.first if isinstance(operation, Paged) else operation


def examples():
    """(operation, example) of every JSON answer in the 200s that the client reads."""
    for line, operation in operations():
        for status, response in operation["responses"].items():
            body = response.get("content", {}).get("application/json", {})
            is_read = line in CALLS and line != "POST /auth/register"  # read down to its string
            if status.startswith("2") and is_read:
                for name, example in body.get("examples", {}).items():
                    yield pytest.param(line, example["value"], id=f"{line} {name}")


def differences(read, sent, where="body"):
    """Where what was read is not what was sent; fields that we do not know may be left unread."""
    if isinstance(read, dict) and isinstance(sent, dict):
        found = [f"{where}.{name}: not sent" for name in read.keys() - sent.keys()]
        common = read.keys() & sent.keys()
        return found + [
            each
            for name in common
            for each in differences(read[name], sent[name], f"{where}.{name}")
        ]
    if isinstance(read, list) and isinstance(sent, list) and len(read) == len(sent):
        return [
            each
            for place, (one, other) in enumerate(zip(read, sent, strict=True))
            for each in differences(one, other, f"{where}[{place}]")
        ]
    return [] if read == sent else [f"{where}: {read!r} for {sent!r}"]


def test_every_operation_of_the_document_can_be_called():
    documented = {line for line, _ in operations()}

    # A new one goes into clients/python, or is named above with the reason why not.
    assert documented - CALLS.keys() == NOT_IN_THE_CLIENT
    assert CALLS.keys() <= documented


@pytest.mark.parametrize("line", CALLS)
def test_an_operation_asks_where_the_document_says(line):
    call = call_of(CALLS[line])
    method, template = line.split()
    ids = dict(zip(("bot_id", "session_id"), IDS, strict=True))
    ids |= {"token_id": IDS[0], "strategy_id": IDS[0], "trading_date": "2026-05-07"}

    assert getattr(call, "method", "GET") == method
    assert call.path == template.format(**ids)


@pytest.mark.parametrize(("line", "example"), list(examples()))
def test_an_answer_is_read_and_written_as_it_was(serve, line, example):
    server = serve(answer(200, example))

    with Zerohour(server.url, TOKEN) as client:
        read = client.run(call_of(CALLS[line]))

    assert differences(encode(read), example) == []


def test_amounts_times_and_ids_have_their_own_types(serve):
    server = serve(answer(200, USER))

    with Zerohour(server.url, TOKEN) as client:
        user = client.user.get()
    saved = decode(models.Strategy, STRATEGY)

    assert user.id == UUID("6f1c9f0e-52a1-4c3e-9a68-0f6b2f9f8a11")
    assert user.fee_schedule.open == Decimal("1.72")
    assert saved.created_at == datetime(2026, 5, 6, 20, 11, 9, 412000, UTC)


def test_a_field_of_a_newer_server_is_ignored():
    saved = decode(models.Strategy, {**STRATEGY, "novelty": 1})

    assert encode(saved) == STRATEGY


@pytest.mark.parametrize(
    "broken", [{}, {**STRATEGY, "created_at": "yesterday"}, {**STRATEGY, "id": 7}, [], None]
)
def test_an_answer_of_another_shape_is_said_to_be_one(broken):
    with pytest.raises(UnexpectedAnswer, match="no Strategy"):
        decode(models.Strategy, broken)


def test_money_that_went_through_a_float_is_refused():
    with pytest.raises(UnexpectedAnswer):
        decode(models.User, {**USER, "slippage": 0.05})


@pytest.mark.parametrize("status", [200, 301, 404])
def test_somebody_elses_server_is_recognised(serve, driver, status):
    def page(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", "6")
        handler.end_headers()
        handler.wfile.write(b"<html>")

    server = serve(page)

    with pytest.raises(UnexpectedAnswer, match="is this a Zerohour server"):
        driver.use(server, lambda client: client.user.get())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorized), (403, Forbidden), (404, NotFound), (422, Unprocessable)],
)
def test_each_kind_of_refusal_has_its_class(status, kind, serve):
    server = serve(answer(status, {"error": "some_code", "message": "No."}))

    with Zerohour(server.url, TOKEN) as client, pytest.raises(kind) as caught:
        client.user.get()

    assert (caught.value.status, caught.value.code) == (status, "some_code")
    assert KIND_OF_STATUS[status] is kind


def test_a_success_is_no_failure():
    with pytest.raises(TypeError):
        failure_of(None)


def test_a_list_is_fetched_page_by_page_as_it_is_read(serve):
    link = '<http://elsewhere.example/api/strategies?limit=1&after=WyIxIl0%3D>; rel="next"'
    second = {**STRATEGY, "name": "second"}
    server = serve(answer(200, [STRATEGY], Link=link), answer(200, [second]))

    with Zerohour(server.url, TOKEN) as client:
        rows = client.strategies.list(page_size=1)
        first = next(rows)
        asked_for_first = len(server.asked)
        rest = list(rows)

    assert (first.name, asked_for_first, [each.name for each in rest]) == ("spread", 1, ["second"])
    # The cursor of the link, but on the server that we have a token for.
    assert server.asked[1].path == "/api/strategies?limit=1&after=WyIxIl0%3D"


def test_all_pages_come_to_both_clients(serve, driver):
    link = '<http://x/api/strategies?after=abc>; rel="next"'
    server = serve(answer(200, [STRATEGY], Link=link), answer(200, [STRATEGY]))

    rows = driver.use(server, lambda client: client.strategies.list())

    assert len(rows) == 2


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
def test_a_site_or_its_api_is_the_same_address(serve, suffix):
    server = serve(answer(200, USER))

    with Zerohour(server.url + suffix, TOKEN) as client:
        client.user.get()

    assert server.asked[0].path == "/api/user"


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host", "http://"])
def test_what_is_no_address_is_refused_at_once(url):
    with pytest.raises(ValueError, match="is no address"):
        Zerohour(url)


def test_an_id_stays_one_segment_of_the_path(serve):
    server = serve(answer(404, {"error": "not_found", "message": "No."}))

    with Zerohour(server.url, TOKEN) as client, pytest.raises(NotFound):
        client.strategies.get("../user?x=1")

    assert server.asked[0].path == "/api/strategies/..%2Fuser%3Fx%3D1"


def test_signing_in_uses_the_token_and_signing_out_forgets_it(serve, driver):
    server = serve(answer(201, {"token": TOKEN}), answer(200, USER), answer(204))

    if driver.is_async:

        async def walk(client):
            await client.sign_in("alice@example.com", "secret")
            await client.user.get()
            await client.sign_out()
            return client.token
    else:

        def walk(client):
            client.sign_in("alice@example.com", "secret")
            client.user.get()
            client.sign_out()
            return client.token

    kept = driver.use(server, walk, token=None)

    assert kept is None
    assert server.headers("authorization") == [None, TOKEN, TOKEN]


def test_nothing_secret_is_shown_or_logged(serve, caplog, driver):
    password = "correct horse battery"
    server = serve(answer(201, {"token": TOKEN}))
    seen = []

    def look(client):
        seen.append(repr(client) + repr(vars(client)["_settings"]))
        return client.tokens.create("alice@example.com", password, name="monitor")

    with caplog.at_level(logging.DEBUG):
        made = driver.use(server, look)

    call = accounts.login("alice@example.com", password)
    shown = "".join([*seen, repr(made), repr(call), caplog.text])
    assert made.token == TOKEN
    assert caplog.text
    assert TOKEN not in shown
    assert password not in shown
