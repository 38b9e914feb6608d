"""What the engine sees of the market: contracts, quotes and ticks (domain.md section 1).

A tick is one second of market, columnar: `strikes_cents[i]` has the call quote `call_*[i]` and the
put quote `put_*[i]`. A missing side or delta is `MISSING` (-1). Ticks are immutable and shared by
every session of a process, so nobody may change one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

MISSING = -1
MULTIPLIER = 100
CALL = "C"
PUT = "P"


class Quote(NamedTuple):
    """Bid and ask in cents, delta × 10000 unsigned; MISSING where the market gives none."""

    bid_cents: int
    ask_cents: int
    delta_e4: int

    @property
    def is_two_sided(self) -> bool:
        """Both sides present and not crossed. A bid of 0 is a present bid."""
        return self.bid_cents >= 0 and self.ask_cents >= self.bid_cents


NO_QUOTE = Quote(MISSING, MISSING, MISSING)


class Contract(NamedTuple):
    """An SPXW option expiring on the session's day."""

    right: str  # CALL or PUT
    strike_cents: int

    def symbol(self, expiry: date) -> str:
        """The 21-character OSI symbol: SPXW padded to 6, YYMMDD, C/P, strike × 1000 in 8 digits."""
        return f"{'SPXW':<6}{expiry:%y%m%d}{self.right}{self.strike_cents * 10:08d}"


def parse_symbol(symbol: str) -> tuple[date, Contract]:
    """The expiry and contract of an OSI symbol; ValueError says what is wrong with it."""
    if len(symbol) != 21 or symbol[:6] != "SPXW  ":
        raise ValueError(f"{symbol!r} is not a 21-character SPXW symbol")
    digits = symbol[6:12] + symbol[13:]
    right = symbol[12]
    if right not in (CALL, PUT) or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{symbol!r} does not read SPXW, YYMMDD, C or P, strike in 8 digits")
    strike_mills = int(symbol[13:])
    if strike_mills % 10:
        raise ValueError(f"{symbol!r} has a strike finer than a cent")
    expiry = date(2000 + int(symbol[6:8]), int(symbol[8:10]), int(symbol[10:12]))
    return expiry, Contract(right, strike_mills // 10)


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One second of market. Times are Unix milliseconds UTC; `received_ms - at_ms` is its lag."""

    seq: int
    at_ms: int
    received_ms: int
    spot_cents: int
    vix_hundredths: int | None
    expected_move_cents: int | None
    strikes_cents: Sequence[int]
    call_bid_cents: Sequence[int]
    call_ask_cents: Sequence[int]
    call_delta_e4: Sequence[int]
    put_bid_cents: Sequence[int]
    put_ask_cents: Sequence[int]
    put_delta_e4: Sequence[int]
    # strike -> index. A decoder passes one and the same mapping with all ticks of the same strikes:
    # by its identity orders and positions know that the rows they remember still hold.
    row_of_strike: Mapping[int, int] = field(repr=False)

    def quote(self, contract: Contract) -> Quote:
        row = self.row_of_strike.get(contract.strike_cents)
        if row is None:
            return NO_QUOTE
        if contract.right == CALL:
            return Quote(
                self.call_bid_cents[row], self.call_ask_cents[row], self.call_delta_e4[row]
            )
        return Quote(self.put_bid_cents[row], self.put_ask_cents[row], self.put_delta_e4[row])


def rows_of(strikes_cents: Sequence[int]) -> dict[int, int]:
    return {strike: row for row, strike in enumerate(strikes_cents)}
