"""The books once more, from the transactions alone: cash, pooled positions, and what each second
should say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sessions.integrity.market import Ints, mids
from sessions.models import Transaction
from simengine.margin import margin_cents
from simengine.market import MISSING, Contract, parse_symbol

if TYPE_CHECKING:
    from sessions.integrity.books import Books

# Where the indices of a tick's own step end; what is obeyed, closed or settled without a tick has
# indices above (sessions.hosted).
STEP_INDICES = 500
SETTLEMENTS = ("expiration", "exercise", "assignment")


@dataclass(slots=True)
class Held:
    """One instrument, pooled over trades at average cost. Cents; quantity and cost are signed."""

    quantity: int = 0
    cost_cents: int = 0
    realized_cents: int = 0
    fees_cents: int = 0

    def trade(self, quantity: int, price_cents: int) -> None:
        """What is given up leaves at average cost, rounded down to the cent; the rest stays."""
        closing = 0
        if self.quantity * quantity < 0:
            closing = min(abs(self.quantity), abs(quantity))
            cost_cents = self.cost_cents * closing // abs(self.quantity)
            received = closing * price_cents * (1 if self.quantity > 0 else -1)
            self.realized_cents += received - cost_cents
            self.cost_cents -= cost_cents
        opening = quantity + closing if quantity < 0 else quantity - closing
        self.cost_cents += opening * price_cents
        self.quantity += quantity


@dataclass(slots=True)
class Ledger:
    cash_cents: int
    fees_cents: int = 0
    held: dict[str, Held] = field(default_factory=lambda: defaultdict(Held))

    def book(self, row: Transaction) -> None:
        self.cash_cents += cash_effect_cents(row)
        self.fees_cents += row.fees_cents
        held = self.held[row.instrument]
        held.trade(signed_quantity(row), row.price_cents)
        held.fees_cents += row.fees_cents

    @property
    def realized_cents(self) -> int:
        return sum(held.realized_cents for held in self.held.values())

    @property
    def cost_cents(self) -> int:
        return sum(held.cost_cents for held in self.held.values())

    def holdings(self) -> dict[Contract, int]:
        return {
            parse_symbol(instrument)[1]: held.quantity
            for instrument, held in self.held.items()
            if held.quantity
        }


def booked(opening_cents: int, rows: Iterable[Transaction]) -> Ledger:
    ledger = Ledger(opening_cents)
    for row in rows:
        ledger.book(row)
    return ledger


def cash_effect_cents(row: Transaction) -> int:
    return (row.value_cents if row.effect == "credit" else -row.value_cents) - row.fees_cents


def signed_quantity(row: Transaction) -> int:
    """Bought is positive. Settlement takes a long out by a credit and a short by a debit."""
    if row.type in SETTLEMENTS:
        return -row.quantity if row.effect == "credit" else row.quantity
    return row.quantity if row.type.startswith("buy") else -row.quantity


@dataclass(frozen=True)
class Seconds:
    """What the line should say on each of its ticks, in cents. `value` is None where the ticks are
    gone.
    """

    cash: Ints
    fees: Ints
    realized: Ints
    cost: Ints
    margin: Ints
    value: Ints | None


def seconds_of(books: Books) -> Seconds:
    """The recount, tick by tick of the line."""
    seqs = books.line[:, 0]
    ledger = Ledger(books.session.opening_balance_cents or 0)
    changes = [(0, ledger.cash_cents, 0, 0, 0, 0)]
    quantities: list[tuple[int, dict[Contract, int]]] = [(0, {})]
    fills = books.fills()
    for place, row in enumerate(fills):
        ledger.book(row)
        if place + 1 < len(fills) and fills[place + 1].tick_seq == row.tick_seq:
            continue  # the books of a tick are those after its last fill
        holdings = ledger.holdings()
        quantities.append((row.tick_seq, holdings))
        changes.append(
            (
                row.tick_seq,
                ledger.cash_cents,
                ledger.fees_cents,
                ledger.realized_cents,
                ledger.cost_cents,
                margin_cents(holdings.items()),
            )
        )
    table = np.array(changes, dtype=np.int64)
    at = np.searchsorted(table[:, 0], seqs, side="right") - 1
    value = _value(books, quantities, at)
    cash, fees, realized, cost, margin = table[at, 1:].T
    return Seconds(cash, fees, realized, cost, margin, value)


def _value(
    books: Books, quantities: list[tuple[int, dict[Contract, int]]], at: Ints
) -> Ints | None:
    """Σ signed quantity × last usable mid × 100, of fresh ticks that the session processed."""
    seqs, day = books.line[:, 0], books.day
    contracts = sorted({contract for _, held in quantities for contract in held})
    if not contracts or not len(seqs):
        return np.zeros(len(seqs), dtype=np.int64)
    if not books.times.is_known or day is None:
        return None
    mid_seqs, mid = mids(day, books.times, contracts, quantities[1][0], int(seqs[-1]))
    mid = _last_usable(mid, np.isin(mid_seqs, _fresh(books)))
    found = np.searchsorted(mid_seqs, seqs)
    is_there = (found < len(mid_seqs)) & (mid_seqs[np.minimum(found, len(mid_seqs) - 1)] == seqs)
    held = np.array(
        [[moment.get(contract, 0) for contract in contracts] for _, moment in quantities],
        dtype=np.int64,
    )[at]
    marks = np.where(is_there[:, None], mid[np.minimum(found, len(mid_seqs) - 1)], 0)
    value: Ints = 50 * (held * np.where(marks == MISSING, 0, marks)).sum(axis=1)
    return value


def _fresh(books: Books) -> Ints:
    """The ticks of the line that were not older than the policy's threshold when they came."""
    times, policy = books.times, books.session.policy or {}
    is_fresh = times.received_ms - times.at_ms <= policy["data_staleness_threshold_ms"]
    return np.intersect1d(times.seqs[is_fresh], books.line[:, 0])


def _last_usable(mid: Ints, is_fresh: npt.NDArray[np.bool_]) -> Ints:
    """Each mid, or the last one before it that counts."""
    usable = (mid != MISSING) & is_fresh[:, None]
    places = np.where(usable, np.arange(len(mid))[:, None], -1)
    last = np.maximum.accumulate(places, axis=0)
    columns = np.arange(mid.shape[1])[None, :]
    return np.where(last >= 0, mid[np.maximum(last, 0), columns], MISSING)


def reserved_of(books: Books) -> Ints:
    """The margin held back for pending opening orders, in cents, on each tick of the line.

    A new order reserves what its fill would add to the maintenance margin, alone now or after all
    that is pending, whichever is more (docs/engine.md).
    """
    numbers = {row.number: row for row in books.transactions}
    ledger = Ledger(0)
    pending: dict[int, tuple[int, dict[Contract, int]]] = {}
    changes: list[tuple[int, int]] = [(0, 0)]
    for event in books.events:
        data = event.data
        if event.kind == "booked" and data["number"] in numbers:
            ledger.book(numbers[data["number"]])
        elif event.kind == "order_placed" and data["order_kind"] == "opening":
            wanted = _contracts(data)
            pending[data["order"]] = (_to_reserve(ledger, pending, wanted), wanted)
        elif event.kind in ("filled", "canceled", "expired", "rejected"):
            pending.pop(data["order"], None)
        else:
            continue
        # What happens after a tick's row shows on the next one.
        seq = event.tick_seq if event.index < STEP_INDICES else event.tick_seq + 1
        changes.append((seq, sum(reserved for reserved, _ in pending.values())))
    table = np.array(changes, dtype=np.int64)
    reserved: Ints = table[np.searchsorted(table[:, 0], books.line[:, 0], side="right") - 1, 1]
    return reserved


def _contracts(data: dict[str, object]) -> dict[Contract, int]:
    legs, units = data["legs"], data["units"]
    assert isinstance(legs, list)
    assert isinstance(units, int)
    return {parse_symbol(leg["instrument"])[1]: leg["quantity"] * units for leg in legs}


def _to_reserve(
    ledger: Ledger,
    pending: dict[int, tuple[int, dict[Contract, int]]],
    wanted: dict[Contract, int],
) -> int:
    held = ledger.holdings()
    margin = margin_cents(held.items())
    alone = margin_cents(_sum(held, wanted).items()) - margin
    others = [contracts for _, contracts in pending.values()]
    after_all = margin_cents(_sum(held, *others, wanted).items())
    reserved = sum(cents for cents, _ in pending.values())
    return max(0, alone, after_all - margin - reserved)


def _sum(*parts: dict[Contract, int]) -> dict[Contract, int]:
    total: dict[Contract, int] = defaultdict(int)
    for part in parts:
        for contract, quantity in part.items():
            total[contract] += quantity
    return total
