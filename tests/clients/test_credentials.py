"""Where the command line keeps tokens, and what it shows of them."""

from __future__ import annotations

import json

import pytest

from tests.clients.conftest import TOKEN
from tests.clients.scripted import answer, refusal
from tests.clients.test_retries import USER
from zerohour_client.cli import credentials
from zerohour_client.cli.failures import Failure


def test_a_token_is_kept_for_its_server_alone(tokens):
    credentials.save("http://one", "a" * 32)
    credentials.save("http://two", "b" * 32)

    credentials.forget("http://one")

    assert (credentials.load("http://one"), credentials.load("http://two")) == (None, "b" * 32)
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.parent.iterdir()] == ["tokens.json"]


def test_a_file_that_others_can_read_is_not_used(tokens):
    credentials.save("http://one", TOKEN)
    tokens.chmod(0o644)

    with pytest.raises(Failure, match="chmod 600"):
        credentials.load("http://one")


def test_a_file_that_is_no_json_is_said_to_be_none(tokens):
    tokens.parent.mkdir()
    tokens.touch(0o600)

    with pytest.raises(Failure, match="log in again"):
        credentials.load("http://one")


def test_the_variable_goes_before_the_file(serve, run, monkeypatch):
    server = serve(answer(200, USER))
    monkeypatch.setenv("ZEROHOUR_TOKEN", "f" * 32)

    run(server, "whoami")

    assert server.headers("authorization") == ["f" * 32]


def test_logging_in_keeps_the_token_and_shows_neither_it_nor_the_password(serve, run, tokens):
    server = serve(answer(201, {"token": TOKEN}), answer(200, USER))

    done = run(server, "login", "alice@example.com", "--password-stdin", given="secret\n")

    assert done.exit_code == 0, done.output
    assert server.asked[0].body == {"email": "alice@example.com", "password": "secret"}
    assert json.loads(tokens.read_text()) == {server.url: TOKEN}
    assert TOKEN not in done.output
    assert "secret" not in done.output


@pytest.mark.parametrize("revoked", [answer(204), refusal(401, "unauthorized")])
def test_logging_out_forgets_the_token_also_if_it_had_ended(serve, run, tokens, revoked):
    server = serve(revoked)

    done = run(server, "logout")

    assert done.exit_code == 0, done.output
    assert json.loads(tokens.read_text()) == {}


def test_a_password_is_not_asked_for_where_nobody_can_answer(serve, run):
    done = run(serve(answer(201, {"token": TOKEN})), "login", "alice@example.com")

    assert "--password-stdin" in str(done.exception)
