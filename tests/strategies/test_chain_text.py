"""The chain is written as text once a tick, and never for another tick's columns."""

from __future__ import annotations

import json

from strategies.runtime.chain_text import ChainText
from strategies.runtime.prelude.quotes import COLUMNS
from tests.strategies.market import view


def test_the_columns_are_sent_as_text_and_everything_else_as_it_is():
    given = view(state={"n": 1})

    sent = ChainText().of(given)

    assert json.loads(sent.pop("chain")) == {name: given[name] for name in COLUMNS}
    assert sent == {name: value for name, value in given.items() if name not in COLUMNS}


def test_the_same_lists_are_written_once():
    texts = ChainText()
    given = view()

    first, second = texts.of(given), texts.of({**given, "state": 2})

    assert first["chain"] is second["chain"]


def test_equal_lists_of_another_tick_are_written_anew():
    texts = ChainText()
    given = view()
    changed = {**given, "put_bid_cents": [0] * len(given["put_bid_cents"])}

    texts.of(given)

    assert json.loads(texts.of(changed)["chain"])["put_bid_cents"][0] == 0


def test_an_empty_chain_after_a_full_one_is_empty():
    texts = ChainText()
    texts.of(view())

    assert json.loads(texts.of(view(chain={}))["chain"])["strikes_cents"] == []
