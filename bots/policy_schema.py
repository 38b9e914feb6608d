"""The policy in OpenAPI's words, for requests and responses.

`simengine.policy` decides; a test holds every bound and default written here against it.
"""

from __future__ import annotations

from typing import Any


def _whole(low: int, high: int, default: int, description: str) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": low,
        "maximum": high,
        "default": default,
        "description": description,
    }


def _flag(description: str) -> dict[str, Any]:
    return {"type": "boolean", "default": True, "description": description}


def _reprice_block(nudge_after_seconds: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "enabled": _flag("Whether orders of this kind are re-priced at all."),
            "nudge_after_seconds": _whole(
                1, 600, nudge_after_seconds, "Seconds between two steps of the concession."
            ),
            "min_interval_seconds": _whole(1, 120, 4, "The floor between two replacements."),
            "flat_tolerance_ticks": _whole(
                1, 20, 1, "How many ticks of movement still count as a flat mid."
            ),
            **more,
        },
    }


MAX_CONCESSION: dict[str, Any] = {
    "oneOf": [
        {"type": "string", "pattern": r"^([0-9](\.[0-9]?[05])?|10(\.00?)?)$"},
        {"type": "integer", "minimum": 0, "maximum": 10},
    ],
    "default": "0.20",
    "description": "Dollars from the intended entry price, 0 to 10, a multiple of 0.05.",
}

INPUT: dict[str, dict[str, Any]] = {
    "max_daily_loss_pct": {
        "type": "string",
        "pattern": r"^0?\.(00[5-9][0-9]?|0[1-9][0-9]{0,2}|[1-4][0-9]{0,3}|50{0,3})$",
        "default": "0.0500",
        "description": (
            "Loss, as a ratio of the opening balance, at which a session is flattened and halted: "
            '0.0050 to 0.5000, at most four decimals ("0.0200" is 2 %). A JSON number is taken too.'
        ),
    },
    "max_open_positions": _whole(1, 100, 10, "Trades open at once."),
    "max_open_orders": _whole(1, 50, 10, "Pending orders at once."),
    "data_staleness_threshold_ms": _whole(
        500, 10_000, 3000, "Age at which market data counts as stale, in milliseconds."
    ),
    "auto_pause_on_error": _flag("Flatten and halt when the error budget is exceeded."),
    "error_budget": _whole(0, 100, 5, "Errors a session may make; one more exceeds it."),
    "reprice": {
        "type": "object",
        "additionalProperties": False,
        "description": "Automatic re-pricing of resting limit orders; what is absent is kept.",
        "properties": {
            "opening": _reprice_block(20, max_concession=MAX_CONCESSION),
            "closing": _reprice_block(15),
        },
    },
}


def _as_answered(schema: dict[str, Any]) -> dict[str, Any]:
    """The same value in a response: always there, decimals always strings."""
    if "properties" in schema:
        properties = {name: _as_answered(inner) for name, inner in schema["properties"].items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    kind = schema.get("type", "string")
    return {"type": kind, "description": schema["description"]}


def _without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if name != "default"}
    if "properties" in kept:
        inner = kept["properties"].items()
        kept["properties"] = {name: _without_defaults(value) for name, value in inner}
    return kept


# A PATCH has no defaults: a generated client would send them and undo what was set.
CHANGES: dict[str, dict[str, Any]] = {
    name: _without_defaults(schema) for name, schema in INPUT.items()
}
OUTPUT: dict[str, dict[str, Any]] = {name: _as_answered(schema) for name, schema in INPUT.items()}
