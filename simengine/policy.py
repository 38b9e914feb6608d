"""The risk policy and re-pricing settings: bounds, defaults, the frozen copy a session keeps.

The JSON form is the API's own (flat fields and `reprice`, decimals as strings); `Policy` is what
the engine computes with: integers only. Bounds and defaults are the page's ("Create a bot",
"Automatic re-pricing") and contract.md section 4's; this module is their only home.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

TICK_CENTS = 5
PLAIN_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"  # no exponent, no separators
WIDEST = Decimal(10**9)


class PolicyError(ValueError):
    """A policy that cannot be: `path` names the field ("reprice.opening.max_concession")."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpeningReprice:
    """Patient: concedes only while the mid is flat, up to a cap from the intended price."""

    enabled: bool = True
    nudge_after_seconds: int = 20
    min_interval_seconds: int = 4
    flat_tolerance_ticks: int = 1
    max_concession_cents: int = 20


@dataclass(frozen=True, slots=True)
class ClosingReprice:
    """Relentless: concedes on schedule until filled. There is deliberately no cap."""

    enabled: bool = True
    nudge_after_seconds: int = 15
    min_interval_seconds: int = 4
    flat_tolerance_ticks: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    max_daily_loss_e4: int = 500  # 0.0500 of the opening balance
    max_open_positions: int = 10
    max_open_orders: int = 10
    data_staleness_threshold_ms: int = 3000
    auto_pause_on_error: bool = True
    error_budget: int = 5
    opening: OpeningReprice = field(default_factory=OpeningReprice)
    closing: ClosingReprice = field(default_factory=ClosingReprice)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Policy:
        """Parse a complete or partial policy; what is absent has its default.

        Raises PolicyError.
        """
        _refuse_unknown(
            raw, {*_INTEGERS, "max_daily_loss_pct", "auto_pause_on_error", "reprice"}, ""
        )
        reprice = _mapping(raw.get("reprice", {}), "reprice")
        _refuse_unknown(reprice, {"opening", "closing"}, "reprice.")
        opening = _mapping(reprice.get("opening", {}), "reprice.opening")
        closing = _mapping(reprice.get("closing", {}), "reprice.closing")
        _refuse_unknown(opening, {*_REPRICE, "enabled", "max_concession"}, "reprice.opening.")
        _refuse_unknown(closing, {*_REPRICE, "enabled"}, "reprice.closing.")
        default = cls()
        return cls(
            max_daily_loss_e4=_daily_loss_e4(raw),
            auto_pause_on_error=_boolean(
                raw.get("auto_pause_on_error", default.auto_pause_on_error), "auto_pause_on_error"
            ),
            opening=OpeningReprice(
                **_reprice_block(opening, OpeningReprice(), "reprice.opening."),
                max_concession_cents=_max_concession_cents(opening),
            ),
            closing=ClosingReprice(**_reprice_block(closing, ClosingReprice(), "reprice.closing.")),
            **{
                name: _integer(raw.get(name, getattr(default, name)), name, *bounds)
                for name, bounds in _INTEGERS.items()
            },
        )

    def as_json(self) -> dict[str, Any]:
        """The API's form, complete. `Policy.from_json(p.as_json()) == p`."""
        return {
            "max_daily_loss_pct": f"{Decimal(self.max_daily_loss_e4).scaleb(-4):.4f}",
            "max_open_positions": self.max_open_positions,
            "max_open_orders": self.max_open_orders,
            "data_staleness_threshold_ms": self.data_staleness_threshold_ms,
            "auto_pause_on_error": self.auto_pause_on_error,
            "error_budget": self.error_budget,
            "reprice": {
                "opening": {
                    **_block_as_json(self.opening),
                    "max_concession": (
                        f"{Decimal(self.opening.max_concession_cents).scaleb(-2):.2f}"
                    ),
                },
                "closing": _block_as_json(self.closing),
            },
        }


def merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`current` with `changes` laid over it, `reprice` field by field; complete and canonical.

    Raises PolicyError.
    """
    reprice: dict[str, Any] = {
        kind: dict(block) for kind, block in current.get("reprice", {}).items()
    }
    for kind, block in _mapping(changes.get("reprice", {}), "reprice").items():
        reprice[kind] = {**reprice.get(kind, {}), **_mapping(block, f"reprice.{kind}")}
    return Policy.from_json({**current, **changes, "reprice": reprice}).as_json()


_INTEGERS = {
    "max_open_positions": (1, 100),
    "max_open_orders": (1, 50),
    "data_staleness_threshold_ms": (500, 10_000),
    "error_budget": (0, 100),
}
_REPRICE = {
    "nudge_after_seconds": (1, 600),
    "min_interval_seconds": (1, 120),
    "flat_tolerance_ticks": (1, 20),
}


def _refuse_unknown(raw: Mapping[str, Any], known: set[str], prefix: str) -> None:
    for name in raw:
        if name not in known:
            reason = f"unknown field; known are {', '.join(sorted(known))}"
            if name == "max_concession" and prefix == "reprice.closing.":
                reason = "closing orders have no cap; max_concession belongs to reprice.opening"
            raise PolicyError(f"{prefix}{name}", reason)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyError(path, "must be an object")
    return value


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(path, "must be true or false")
    return value


def _integer(value: Any, path: str, low: int, high: int) -> int:
    rule = f"must be a whole number from {low} to {high}"
    number = _decimal(value, path, rule)
    if number != number.to_integral_value() or not low <= number <= high:
        raise PolicyError(path, rule)
    return int(number)


def _decimal(value: Any, path: str, rule: str) -> Decimal:
    """The exact number; PolicyError with `rule`, which says what would do."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise PolicyError(path, rule)
    if isinstance(value, str) and not re.fullmatch(PLAIN_DECIMAL, value.strip()):
        raise PolicyError(path, rule)
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise PolicyError(path, rule)
    # Beyond 28 digits decimal rounds and overflows. What is cut here is outside everybody's bounds.
    number = max(min(number, WIDEST), -WIDEST)
    if number != round(number, 18):
        raise PolicyError(path, rule)
    return number


def _daily_loss_e4(raw: Mapping[str, Any]) -> int:
    path = "max_daily_loss_pct"
    rule = "must be from 0.0050 to 0.5000 with at most four decimals (0.0200 is 2 %)"
    value = _decimal(raw.get(path, "0.0500"), path, rule)
    scaled = value.scaleb(4)
    is_within = Decimal("0.0050") <= value <= Decimal("0.5000")
    if not is_within or scaled != scaled.to_integral_value():
        raise PolicyError(path, rule)
    return int(scaled)


def _max_concession_cents(raw: Mapping[str, Any]) -> int:
    path = "reprice.opening.max_concession"
    rule = "must be a multiple of 0.05 from 0 to 10"
    cents = _decimal(raw.get("max_concession", "0.20"), path, rule).scaleb(2)
    if not 0 <= cents <= 1000 or cents % TICK_CENTS:
        raise PolicyError(path, rule)
    return int(cents)


def _reprice_block(
    raw: Mapping[str, Any], default: OpeningReprice | ClosingReprice, prefix: str
) -> dict[str, Any]:
    block: dict[str, Any] = {
        name: _integer(raw.get(name, getattr(default, name)), prefix + name, *bounds)
        for name, bounds in _REPRICE.items()
    }
    block["enabled"] = _boolean(raw.get("enabled", default.enabled), prefix + "enabled")
    return block


def _block_as_json(block: OpeningReprice | ClosingReprice) -> dict[str, Any]:
    return {"enabled": block.enabled, **{name: getattr(block, name) for name in _REPRICE}}
