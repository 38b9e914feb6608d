"""From rows of quotes to ticks: what every importer shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from marketdata import greeks
from simengine.market import CALL, MISSING, Tick, rows_of


@dataclass(slots=True)
class Snapshot:
    """The rows of one moment. Prices in cents, MISSING where a side is; deltas x 10000 or None."""

    at_ms: int
    spot_cents: int
    vix_hundredths: int | None = None
    expected_move_cents: int | None = None
    calls: dict[int, tuple[int, int, int | None]] = field(default_factory=dict)
    puts: dict[int, tuple[int, int, int | None]] = field(default_factory=dict)

    def side(self, right: str) -> dict[int, tuple[int, int, int | None]]:
        return self.calls if right == CALL else self.puts


_NOTHING = (MISSING, MISSING, None)


def tick_of(snapshot: Snapshot, seq: int, *, received_ms: int | None = None) -> Tick:
    """Strikes are the union of both sides; what the rows leave open is computed
    (marketdata.greeks). `received_ms` is the snapshot's own time unless given.
    """
    strikes = sorted(snapshot.calls.keys() | snapshot.puts.keys())
    calls = [snapshot.calls.get(strike, _NOTHING) for strike in strikes]
    puts = [snapshot.puts.get(strike, _NOTHING) for strike in strikes]
    call_bids, call_asks = [row[0] for row in calls], [row[1] for row in calls]
    put_bids, put_asks = [row[0] for row in puts], [row[1] for row in puts]
    quotes = greeks.Quotes.of(strikes, call_bids, call_asks, put_bids, put_asks)
    call_deltas, put_deltas = _deltas(quotes, snapshot.spot_cents, calls, puts)
    expected_move = snapshot.expected_move_cents
    if expected_move is None:
        expected_move = greeks.expected_move_cents(quotes, snapshot.spot_cents)
    return Tick(
        seq=seq,
        at_ms=snapshot.at_ms,
        received_ms=snapshot.at_ms if received_ms is None else received_ms,
        spot_cents=snapshot.spot_cents,
        vix_hundredths=snapshot.vix_hundredths,
        expected_move_cents=expected_move,
        strikes_cents=strikes,
        call_bid_cents=call_bids,
        call_ask_cents=call_asks,
        call_delta_e4=call_deltas,
        put_bid_cents=put_bids,
        put_ask_cents=put_asks,
        put_delta_e4=put_deltas,
        row_of_strike=rows_of(strikes),
    )


def _deltas(
    quotes: greeks.Quotes,
    spot_cents: int,
    calls: Sequence[tuple[int, int, int | None]],
    puts: Sequence[tuple[int, int, int | None]],
) -> tuple[list[int], list[int]]:
    given_calls, given_puts = [row[2] for row in calls], [row[2] for row in puts]
    if not calls:
        return [], []
    computed_calls, computed_puts = greeks.deltas_e4(quotes, spot_cents)
    return (
        [c if g is None else g for g, c in zip(given_calls, computed_calls, strict=True)],
        [c if g is None else g for g, c in zip(given_puts, computed_puts, strict=True)],
    )


def hold(ticks: Iterable[Tick], seconds: int, until_ms: int) -> list[Tick]:
    """One tick a second: the last one repeated, at its own second, for at most `seconds` after it.

    A tick off the second is moved to the next full one (it was not known before); of two in the
    same second the later stands. Nothing is invented after `until_ms`, the close.
    """
    if seconds <= 0:
        raise ValueError("a hold is at least one second")
    by_second: dict[int, Tick] = {}
    for tick in ticks:
        by_second[-(-tick.at_ms // 1000) * 1000] = tick
    starts = sorted(by_second)
    held: list[Tick] = []
    for start, following in zip(starts, [*starts[1:], until_ms + 1000], strict=True):
        tick = by_second[start]
        last = min(start + seconds * 1000, following - 1000, max(until_ms, start))
        for at_ms in range(start, last + 1, 1000):
            held.append(replace(tick, seq=len(held) + 1, at_ms=at_ms, received_ms=at_ms))
    return held
