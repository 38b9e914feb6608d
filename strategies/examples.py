"""Examples for the OpenAPI document. A test reads the requests and checks the answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.runtime.program import source_hash

FORM: dict[str, Any] = {
    "legs": [
        {
            "direction": "sell",
            "type": "put",
            "qty": 1,
            "strike": {"method": "delta", "value": 0.30},
        },
        {
            "direction": "buy",
            "type": "put",
            "qty": 1,
            "strike": {"method": "offset", "value": -25, "from": 0},
        },
    ],
    "entry": {
        "times": ["10:00", "12:30"],
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "order": "limit_mid",
        "max_entries": 2,
        "filters": {"min_credit": "0.50", "vix_max": 30},
    },
    "exit": {"profit_target_pct": 50, "stop_loss_pct": 200, "time": "15:55"},
    "sizing": {"contracts": 1},
}
PROGRAM = """times = ["10:00"]


def at(ctx, time):
    ctx.open([sell("put", delta=0.30), buy("put", offset=-25, leg=0)], profit_target_pct=50)
"""
SAVE_FORM: dict[str, Any] = {"name": "Delta-30 put spread", "config": FORM}
SAVE_PROGRAM: dict[str, Any] = {"name": "Delta-30 by hand", "program": PROGRAM}
_COMPILED = compile_form(normalise(FORM))
LINK: dict[str, Any] = {
    "id": "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
    "name": "Delta-30 put spread",
    "description": "",
    "privacy": "private",
    "source_hash": source_hash(_COMPILED),
    "kind": "form",
    "config": normalise(FORM),
    "program": _COMPILED,
    "created_at": "2026-05-07T13:20:00.000Z",
}

SAVE_A_FORM = OpenApiExample("a form", value=SAVE_FORM, request_only=True)
SAVE_A_PROGRAM = OpenApiExample("a program", value=SAVE_PROGRAM, request_only=True)
PREVIEW_A_FORM = OpenApiExample("a form", value={"config": FORM}, request_only=True)
UPDATE = OpenApiExample("share it", value={"privacy": "public"}, request_only=True)
SAVED = OpenApiExample("a link", value=LINK, response_only=True)
PREVIEWED = OpenApiExample(
    "what it compiles to",
    value={"source_hash": LINK["source_hash"], "program": _COMPILED, "problems": []},
    response_only=True,
)
FORM_SCHEMA = OpenApiExample(
    "its beginning",
    value={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Strategy form",
        "type": "object",
    },
    response_only=True,
)
TEMPLATE = OpenApiExample(
    "a put spread",
    value={
        "id": "put-credit-spread",
        "name": "Put credit spread",
        "description": "Sells a put and buys one further out of the money.",
        "config": FORM,
    },
    response_only=True,
)
