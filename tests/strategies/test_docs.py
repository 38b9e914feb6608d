"""Every example of docs/strategies.md runs, and says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from simengine.decisions import DECISIONS_A_SESSION
from strategies import form, form_legs
from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.runtime import prelude, rules
from strategies.runtime.program import SIZE_LIMIT_BYTES
from tests.strategies.market import FILL, closed_trade, order, trade, view

DOCS = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)


VIEWS = [
    view(),
    view(
        trades=[trade(), trade(number=2, profit_pct=None, profit_cents=None, mid_half_cents=None)],
        orders=[order(age_seconds=400), order(number=4, kind="closing", trade=1)],
        closed_trades=[closed_trade()],
        seconds_since_open=4000,
    ),
    view(chain={}, vix_hundredths=None, expected_move_cents=None),
]


@pytest.mark.parametrize("text", blocks("python"), ids=range(len(blocks("python"))))
def test_every_program_runs(sandbox, text):
    strategy = sandbox.strategy(text)
    arguments = {"on_start": None, "on_tick": None, "on_fill": FILL, "at": "10:00"}
    called = 0

    for given in VIEWS:
        state = None
        for hook in strategy.program.hook_names:
            decision = strategy.call(hook, {**given, "state": state}, arguments[hook])
            state = decision.state
            called += 1

    assert called >= len(VIEWS)


@pytest.mark.parametrize("text", blocks("json"), ids=range(len(blocks("json"))))
def test_every_form_compiles(sandbox, text):
    compiled = compile_form(normalise(json.loads(text)))

    assert sandbox.strategy(compiled).call("at", view(), "10:00").actions


def test_there_are_examples():
    assert len(blocks("python")) >= 4
    assert blocks("json")


def test_every_method_and_attribute_of_ctx_is_documented():
    undocumented = {
        name
        for name in dir(prelude.Ctx(view()))
        if not name.startswith("_") and f"`{name}" not in DOCS and f" `{name}" not in DOCS
    }

    assert undocumented <= {
        # what the runtime itself uses
        "actions",
        "chain",
        "entries_cut",
        "entries_logged",
        "finish",
        "generator",
        "hook",
        "lazy_chain",
        "view",
    }


@pytest.mark.parametrize(
    "word",
    [
        *form_legs.METHODS,
        *form.FILTERS,
        *form.PERCENT_EXITS,
        "touch_short_strike",
        "exit_on_touch",
        f"{DECISIONS_A_SESSION:,}",
        *form.ORDERS,
        *(name for name in rules.MODULES if name != "__future__"),
        f"{SIZE_LIMIT_BYTES:,} bytes",
    ],
)
def test_the_words_and_limits_of_the_code_are_in_the_docs(word):
    assert word in DOCS
