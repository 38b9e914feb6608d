"""What the command line does with files, words and refusals. `test_live` has it at work."""

from __future__ import annotations

import json
import subprocess

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bots.examples import BOT_ANSWER
from launcher.paths import ROOT
from sessions import examples
from tests.clients.conftest import TOKEN
from tests.clients.scripted import answer, refusal
from tests.clients.test_retries import STRATEGY
from zerohour_client.cli.failures import sentence, status_of
from zerohour_client.cli.main import app

BOT = BOT_ANSWER
OTHER = {**BOT, "id": "11111111-1111-4111-8111-111111111111", "name": "Condor"}


# Words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["Condor", "1111", OTHER["id"]])
def test_a_bot_is_found_by_name_id_or_the_ids_start(serve, run, word):
    whole = answer(200, {"bot": OTHER, "sessions": []})
    both = answer(200, [BOT, OTHER])
    server = serve(*([whole] if word == OTHER["id"] else [both]), whole)

    done = run(server, "bots", "show", word)

    assert done.exit_code == 0, done.output
    assert server.asked[-1].path == f"/api/bots/{OTHER['id']}"
    assert "Condor" in done.output


def test_an_active_bot_goes_before_archived_ones_of_its_name(serve, run):
    archived = {**OTHER, "name": BOT["name"], "status": "archived"}
    server = serve(answer(200, [archived, BOT]), answer(200, {"bot": BOT, "sessions": []}))

    run(server, "bots", "show", BOT["name"])

    assert server.asked[-1].path == f"/api/bots/{BOT['id']}"


def test_an_unknown_name_is_answered_with_those_there_are(serve, run):
    done = run(serve(answer(200, [BOT, OTHER])), "bots", "show", "nobody")

    assert "Condor" in str(done.exception)
    assert status_of(done.exception) == 4


@pytest.mark.parametrize("word", ["last", "2026-05-07", "5b1f", examples.SESSION_ID])
def test_a_session_is_found_by_date_id_or_as_the_last(serve, run, word):
    older = {**examples.RUNNING, "session_id": OTHER["id"], "date": "2026-05-06"}
    one = answer(200, examples.RUNNING)
    found = one if word == examples.SESSION_ID else answer(200, [examples.RUNNING, older])
    server = serve(answer(200, [BOT]), found, one)

    done = run(server, "sessions", "show", BOT["name"], word, "--json")

    assert json.loads(done.stdout)["session_id"] == examples.SESSION_ID


@pytest.mark.parametrize("command", ["archive", "unarchive"])
def test_a_bot_is_put_away_and_taken_out_by_its_status(serve, run, command):
    server = serve(answer(200, [BOT]), answer(200, BOT))

    run(server, "bots", command, BOT["name"])

    status = "archived" if command == "archive" else "idle"
    assert (server.asked[-1].method, server.asked[-1].body) == ("PATCH", {"status": status})


def test_an_update_sends_only_what_was_given(serve, run):
    server = serve(answer(200, [BOT]), answer(200, BOT))

    run(
        server,
        *("bots", "update", BOT["name"], "--no-auto-pause", "--auto-start"),
        *("--weekdays", "mon, Fri", "--error-budget", "0"),
    )

    assert server.asked[-1].body == {
        "auto_pause_on_error": False,
        "error_budget": 0,
        "schedule": {"auto_start": True, "weekdays": ["mon", "fri"]},
    }


def test_deleting_asks_first(serve, run):
    server = serve(answer(200, [BOT]), answer(204))

    done = run(server, "bots", "delete", BOT["name"], given="n\n")

    assert done.exit_code == 1
    assert [each.method for each in server.asked] == ["GET"]


def test_stopping_with_flatten_says_so(serve, run):
    running = {**BOT, "active_session": examples.RUNNING}
    server = serve(answer(200, [running]), answer(202, {**examples.RUNNING, "status": "killing"}))

    done = run(server, "bots", "stop", BOT["name"], "--flatten")

    assert server.asked[-1].path.endswith(f"{examples.SESSION_ID}?flatten=true")
    assert "killing" in done.output


def test_a_form_that_was_shown_in_json_can_be_saved_again(serve, run, tmp_path):
    form = {"legs": [], "entry": {"times": ["10:00"]}}
    (tmp_path / "shown.json").write_text(json.dumps({**STRATEGY, "config": form}))
    server = serve(answer(201, STRATEGY))

    run(server, "strategies", "save", str(tmp_path / "shown.json"))

    assert server.asked[-1].body == {"name": "shown", "config": form}


def test_the_problems_of_a_program_have_their_place(serve, run, tmp_path):
    (tmp_path / "broken.py").write_text("def")
    problem = {"path": "program", "message": "invalid syntax", "line": 1, "column": 4}
    preview = {"source_hash": None, "program": None, "problems": [problem]}

    done = run(serve(answer(200, preview)), "strategies", "preview", str(tmp_path / "broken.py"))

    assert str(done.exception).endswith("broken.py:1:4: invalid syntax")
    assert status_of(done.exception) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), ("{", "is no JSON"), ("[]", "one JSON object")],
)
def test_a_file_that_is_no_form_is_said_to_be_none(serve, run, tmp_path, content, reason):
    file = tmp_path / "form.json"
    if content is not None:
        file.write_text(content)

    done = run(serve(answer(201, STRATEGY)), "strategies", "save", str(file))

    assert reason in str(done.exception)


# Refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "exit_status"),
    [
        (400, "invalid_input", 2),
        (401, "unauthorized", 3),
        (403, "insufficient_scope", 3),
        (404, "not_found", 4),
        (409, "name_taken", 5),
        (422, "outside_rth", 5),
        (500, "internal_error", 1),
    ],
)
def test_each_kind_of_refusal_has_its_exit_status(serve, run, status, code, exit_status):
    done = run(serve(refusal(status, code, "A sentence.")), "whoami")

    assert status_of(done.exception) == exit_status
    assert sentence(done.exception).startswith("A sentence.")


def test_a_refused_field_that_the_message_leaves_out_is_named(serve, run):
    fields = {"name": ["too long"], "starting_capital": ["must be at least 1000"]}
    body = {"error": "invalid_input", "message": "name: too long (1 more).", "fields": fields}

    done = run(serve(answer(400, body)), "whoami")

    assert sentence(done.exception).splitlines() == [
        "name: too long (1 more).",
        "  starting_capital: must be at least 1000",
    ]


def test_a_server_that_is_not_there_is_one_sentence_and_status_6(tmp_path):
    env = {"ZEROHOUR_TOKEN": TOKEN, "ZEROHOUR_URL": "http://127.0.0.1:9", "HOME": str(tmp_path)}

    done = subprocess.run(
        [ROOT / "bin" / "zerohour", "whoami"],
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 6, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("http://127.0.0.1:9 cannot be reached")
    assert "ZEROHOUR_URL" in line


@pytest.mark.parametrize(
    "words", [["--url", "nowhere", "whoami"], ["bots", "create"], ["nonsense"]]
)
def test_a_wrong_use_is_status_2(words, tokens):
    assert CliRunner().invoke(app, words).exit_code == 2


def test_every_command_says_what_it_does_and_has_json(tokens):
    def walk(command, words=()):
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))
        if not hasattr(command, "commands"):
            yield words, command

    found = list(walk(get_command(app)))

    assert len(found) > 35
    for words, command in found:
        assert command.help, words
        assert "--json" in {each for option in command.params for each in option.opts}, words
