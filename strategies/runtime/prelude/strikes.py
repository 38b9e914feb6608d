"""Strike selection, one rule per method of the form (contract.md section 3), in integers.

`delta` and `premium` choose among the contracts that could be traded now: both sides quoted, and a
bid above zero for a sold leg. The other methods aim at a level: the strike nearest to it is taken,
unless it lies outside the listed strikes by more than half a step, and it must then be tradable.
Ties go to the strike nearer to spot, then to the lower one.
"""

from __future__ import annotations

from typing import Any

from strategies.runtime.prelude.quotes import Chain, Quote, dollars, points, scaled

METHODS = ("strike", "delta", "points_otm", "premium", "atm", "em_multiple", "offset")


class Choice:
    """A leg's strike, or the reason why there is none. `rows` are the chain rows around it."""

    def __init__(self, quote: Quote | None, reason: str, rows: list[list[Any]]) -> None:
        self.quote = quote
        self.reason = reason
        self.rows = rows


def is_tradable(quote: Quote, direction: str) -> bool:
    """Usable to open (domain.md section 2): nobody pays for a sold leg without a bid."""
    return quote.is_two_sided and (direction == "buy" or quote.bid_cents != 0)


def choose(
    chain: Chain, direction: str, kind: str, strike: dict[str, Any], anchor_cents: int | None
) -> Choice:
    """The contract that `strike` names. `anchor_cents` is the other leg's strike for `offset`."""
    method = strike["method"]
    if method not in METHODS:
        raise ValueError(f"strike method {method!r} is unknown; known are {', '.join(METHODS)}")
    if not chain.strikes:
        return Choice(None, "the chain is empty", [])
    if method in ("delta", "premium"):
        return _nearest_value(chain, direction, kind, method, strike["value"])
    target = _target(chain, kind, method, strike.get("value"), anchor_cents)
    if target is None:
        return Choice(None, "there is no expected move yet", [])
    return _nearest_level(chain, direction, kind, target)


def _nearest_value(chain: Chain, direction: str, kind: str, method: str, value: Any) -> Choice:
    """Nearest absolute delta, or nearest price: the ask of a bought leg, the bid of a sold one."""
    is_delta = method == "delta"
    target = scaled(value, 10000 if is_delta else 100, method)
    bids = chain.columns[f"{kind}_bid_cents"]
    asks = chain.columns[f"{kind}_ask_cents"]
    values = asks if direction == "buy" else bids
    if is_delta:
        values = chain.columns[f"{kind}_delta_e4"]
    least_bid = 0 if direction == "buy" else 1
    best = None
    best_row = -1
    for row, strike in enumerate(chain.strikes):
        if values[row] < 0 or bids[row] < least_bid or asks[row] < bids[row]:
            continue
        rank = (abs(values[row] - target), abs(strike - chain.spot_cents), strike)
        if best is None or rank < best:
            best = rank
            best_row = row
    if best is None:
        return Choice(None, f"no {kind} has a {method} and a market on both sides", [])
    return Choice(chain.quote_at(kind, best_row), "", _around(chain, kind, best_row))


def _target(
    chain: Chain, kind: str, method: str, value: Any, anchor_cents: int | None
) -> int | None:
    """The level aimed at, in ten-thousandths of a cent; None without an expected move."""
    spot = chain.spot_cents
    away = 1 if kind == "call" else -1  # out of the money
    if method == "atm":
        return spot * 10000
    if method == "strike":
        return scaled(value, 100, "strike") * 10000
    if method == "points_otm":
        return (spot + away * scaled(value, 100, method)) * 10000
    if method == "offset":
        return ((anchor_cents or 0) + scaled(value, 100, method)) * 10000
    if chain.expected_move_cents is None:
        return None
    return spot * 10000 + away * scaled(value, 10000, method) * chain.expected_move_cents


def _nearest_level(chain: Chain, direction: str, kind: str, target: int) -> Choice:
    spot = chain.spot_cents
    best = None
    best_row = -1
    for row, strike in enumerate(chain.strikes):
        rank = (abs(strike * 10000 - target), abs(strike - spot), strike)
        if best is None or rank < best:
            best = rank
            best_row = row
    quote = chain.quote_at(kind, best_row)
    rows = _around(chain, kind, best_row)
    if _is_off_the_list(chain.strikes, target):
        level = dollars(target // 10000)
        reason = f"{kind} {level} is outside the listed strikes, nearest {quote.strike}"
        return Choice(None, reason, rows)
    if not is_tradable(quote, direction):
        lacks = "bid" if quote.is_two_sided else "market on both sides"
        return Choice(None, f"{kind} {quote.strike} has no {lacks}", rows)
    return Choice(quote, "", rows)


def _is_off_the_list(strikes: list[int], target: int) -> bool:
    """Whether `target` lies beyond the first or last strike by more than half a step there."""
    if len(strikes) == 1:
        return target != strikes[0] * 10000
    below = strikes[0] * 10000 - target
    above = target - strikes[-1] * 10000
    return 2 * below > (strikes[1] - strikes[0]) * 10000 or (
        2 * above > (strikes[-1] - strikes[-2]) * 10000
    )


def _around(chain: Chain, kind: str, row: int) -> list[list[Any]]:
    """`[strike, bid, ask, delta]` of the row and its neighbours, for the decision log."""
    rows: list[list[Any]] = []
    for near in range(max(0, row - 1), min(len(chain.strikes), row + 2)):
        quote = chain.quote_at(kind, near)
        rows.append([points(quote.strike_cents), quote.bid, quote.ask, quote.delta])
    return rows
