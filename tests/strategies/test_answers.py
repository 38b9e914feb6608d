"""What comes back from a worker is believed only as far as it is checked."""

from __future__ import annotations

import json

import pytest

from simengine.strategy import Decision, StrategyError
from strategies.runtime.answers import read_answer

LOG = {"do": "log", "message": "m", "data": {}}


def answer(actions=(), state=None):
    return json.dumps({"actions": list(actions), "state": state})


def test_an_answer_is_its_actions_and_its_state():
    assert read_answer(answer([LOG], {"n": 1})) == Decision([LOG], {"n": 1})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "nonsense"),
        (b"{}", "nonsense"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"actions": [], "state": NaN}', "no JSON"),
        ('{"actions": [], "state": Infinity}', "no JSON"),
        ('{"actions": [], "state": ' + "9" * 5000 + "}", "no JSON"),
        ("x" * 700_001, "700001 bytes"),
        (answer(state="x" * 16_383), "16385 bytes"),
        (answer([LOG] * 202), "more than 201 actions"),
        (answer([3]), "nobody knows"),
        (answer([{"do": "pay"}]), "nobody knows"),
        (answer([{"do": {}}]), "nobody knows"),
        (answer([{**LOG, "more": 1}]), "other fields"),
        (answer([{"do": "close", "trade": 1}]), "other fields"),
        (answer([{**LOG, "message": None}]), "another kind"),
        (answer([{**LOG, "data": "x"}]), "another kind"),
        (answer([{"do": "skip", "reason": ["x"]}]), "another kind"),
    ],
)
def test_what_no_runtime_answers_is_refused(text, reason):
    with pytest.raises(StrategyError, match=reason):
        read_answer(text)


def test_a_state_at_its_limit_is_kept():
    state = "x" * 16_382

    assert read_answer(answer(state=state)).state == state


def test_nul_characters_are_replaced_everywhere():
    found = read_answer(answer([{**LOG, "data": {"\0": ["\0", {"a": "b\0"}, 1]}}], "\0"))

    assert found.actions[0]["data"] == {"\ufffd": ["\ufffd", {"a": "b\ufffd"}, 1]}
    assert found.state == "\ufffd"
