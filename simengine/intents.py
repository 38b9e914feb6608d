"""What a program asks for, read from its plain data (the actions of `simengine.strategy`).

Nonsense is `InvalidIntent`: a thing no market could take, whatever the quotes. It costs one error
of the budget (domain.md section 6), and its message says what to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

from simengine.market import CALL, PUT, Contract, Tick
from simengine.orders import LIMIT, MARKET, STOP, ExitRules, package_of
from simengine.pricing import Legs, is_on_grid, tick_cents

MAX_LEGS = 8
MAX_RATIO = 100  # of one leg of a package
MAX_CONTRACTS = 10_000
MAX_NAME_LENGTH = 80
SECONDS_OF_DAY = 86_400
RIGHTS = {"call": CALL, "put": PUT}


class InvalidIntent(Exception):
    """An intent that no market could take."""

    def __init__(self, message: str, *, code: str = "invalid_order") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class OpenIntent:
    legs: Legs
    units: int
    type: str
    limit_cents: int | None  # signed, per package of `legs`
    exit_rules: ExitRules
    name: str


def parse_open(action: dict[str, Any], tick: Tick) -> OpenIntent:
    """An `open` action. Its limit is for the package as the program wrote it; where the ratios have
    a common factor the package is reduced and the limit with it.
    """
    contracts = [_leg(raw, tick) for raw in _list(action, "legs")]
    if not 1 <= len(contracts) <= MAX_LEGS:
        raise InvalidIntent(f"an order has 1 to {MAX_LEGS} legs, not {len(contracts)}")
    if len({contract for contract, _ in contracts}) != len(contracts):
        raise InvalidIntent("two legs are the same contract; merge them into one")
    packages = _count(action, "contracts")
    legs, units = package_of([(contract, ratio * packages) for contract, ratio in contracts])
    if max(abs(leg.ratio) for leg in legs) > MAX_RATIO:
        raise InvalidIntent(f"a leg is at most {MAX_RATIO} times another")
    if sum(abs(leg.ratio) for leg in legs) * units > MAX_CONTRACTS:
        raise InvalidIntent(f"an order has at most {MAX_CONTRACTS} contracts")
    order_type = action.get("order") or LIMIT
    common_factor = gcd(*(ratio for _, ratio in contracts))
    limit_cents = _reduced(_optional_whole(action, "limit_cents"), common_factor)
    _check_type(order_type, limit_cents, legs)
    return OpenIntent(
        legs=legs,
        units=units,
        type=order_type,
        limit_cents=limit_cents,
        exit_rules=_exit_rules(action, legs),
        name=str(action.get("name") or "")[:MAX_NAME_LENGTH],
    )


def parse_close(action: dict[str, Any]) -> tuple[int, str]:
    """The trade and the order type of a `close` action."""
    order_type = action.get("order") or LIMIT
    if order_type not in (LIMIT, MARKET):
        raise InvalidIntent(f"a trade is closed by a limit or market order, not {order_type!r}")
    return whole(action, "trade"), order_type


def whole(action: dict[str, Any], key: str) -> int:
    value = _optional_whole(action, key)
    if value is None:
        raise InvalidIntent(f"{key} must be a whole number")
    return value


def check_grid(legs: Legs, price_cents: int) -> None:
    if not is_on_grid(legs, price_cents):
        grid = tick_cents(legs, price_cents)
        raise InvalidIntent(f"the price {usd(price_cents)} is not a multiple of {usd(grid)}")


def usd(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02d}"


def _list(action: dict[str, Any], key: str) -> list[Any]:
    value = action.get(key)
    if not isinstance(value, list):
        raise InvalidIntent(f"{key} must be a list")
    return value


def _optional_whole(action: dict[str, Any], key: str) -> int | None:
    value = action.get(key)
    if value is not None and not _is_whole(value):
        raise InvalidIntent(f"{key} must be a whole number")
    return value


def _count(action: dict[str, Any], key: str) -> int:
    value = action.get(key, 1)
    if not _is_whole(value) or value < 1:
        raise InvalidIntent(f"{key} must be a whole number from 1")
    assert isinstance(value, int)
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _leg(raw: Any, tick: Tick) -> tuple[Contract, int]:
    if not isinstance(raw, (list, tuple)) or len(raw) != 3:
        raise InvalidIntent(
            'a leg is [type, strike in cents, signed quantity], like ["put", 595000, -1]'
        )
    option_type, strike_cents, ratio = raw
    if not isinstance(option_type, str) or option_type not in RIGHTS:
        raise InvalidIntent(f'a leg\'s type is "call" or "put", not {option_type!r}')
    if not _is_whole(strike_cents) or strike_cents not in tick.row_of_strike:
        raise InvalidIntent(f"there is no strike {strike_cents} (cents) on the chain")
    if not _is_whole(ratio) or ratio == 0:
        raise InvalidIntent("a leg's quantity is a whole number, negative when sold, never 0")
    return Contract(RIGHTS[option_type], strike_cents), ratio


def _reduced(limit_cents: int | None, common_factor: int) -> int | None:
    if limit_cents is None:
        return None
    reduced_cents, rest = divmod(limit_cents, common_factor)
    if rest:
        raise InvalidIntent(
            f"{usd(limit_cents)} for {common_factor} of a package is no price for one of them"
        )
    return reduced_cents


def _check_type(order_type: Any, limit_cents: int | None, legs: Legs) -> None:
    if order_type not in (LIMIT, MARKET, STOP):
        raise InvalidIntent(f"an order is limit, market or stop, not {order_type!r}")
    if order_type == STOP and len(legs) > 1:
        raise InvalidIntent("a stop order has one leg")
    if order_type == STOP and limit_cents is None:
        raise InvalidIntent("a stop order needs its trigger price")
    if order_type == MARKET and limit_cents is not None:
        raise InvalidIntent("a market order has no limit")
    if limit_cents is not None:
        check_grid(legs, limit_cents)


def _exit_rules(action: dict[str, Any], legs: Legs) -> ExitRules:
    exit_at = _optional_whole(action, "exit_at_seconds")
    if exit_at is not None and not 0 <= exit_at < SECONDS_OF_DAY:
        raise InvalidIntent("exit_at must be a time of day")
    on_touch = action.get("exit_on_touch") or False
    if not isinstance(on_touch, bool):
        raise InvalidIntent("exit_on_touch must be true or false")
    if on_touch and all(leg.ratio > 0 for leg in legs):
        raise InvalidIntent("exit_on_touch needs a sold leg")
    trailing_stop_bp = _percent_bp(action, "trailing_stop_pct")
    trailing_start_bp = _percent_bp(action, "trailing_start_pct", or_zero=True)
    if trailing_start_bp is not None and trailing_stop_bp is None:
        raise InvalidIntent("trailing_start_pct needs a trailing_stop_pct")
    return ExitRules(
        profit_target_bp=_percent_bp(action, "profit_target_pct"),
        stop_loss_bp=_percent_bp(action, "stop_loss_pct"),
        exit_at_seconds=exit_at,
        trailing_stop_bp=trailing_stop_bp,
        trailing_start_bp=trailing_start_bp,
        exit_on_touch=on_touch,
    )


def _percent_bp(action: dict[str, Any], key: str, *, or_zero: bool = False) -> int | None:
    """Hundredths of a percent, from a positive number of percent; None where there is none."""
    value = action.get(key)
    if value is None:
        return None
    if or_zero and value == 0 and not isinstance(value, bool):
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 100_000:
        raise InvalidIntent(f"{key} must be a positive number of percent")
    hundredths = round(value * 100)
    if not hundredths:
        raise InvalidIntent(f"{key} is less than a hundredth of a percent")
    return hundredths
