"""NautilusTrader's backtest engine on the day: one option contract a quote column, every quote of
the chain as a QuoteTick, an L1 book for each; the strategy hears spot and, once chosen, its legs.

It has no order of two option legs against each other's quotes, so the sold put rests as a limit at
its mid and the bought one follows at market; out of it both go at market.
"""

from __future__ import annotations

from operator import attrgetter

import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import PerContractFeeModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, AssetClass, OmsType, OptionKind, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity, OptionContract
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from bench.peers import day

VENUE = Venue("SIM")
SPOT = InstrumentId(Symbol("SPX"), VENUE)
ONE = Quantity.from_int(1)
SIZE = 100.0  # contracts on either side of every quote


def leg_id(right: str, strike_cents: int) -> InstrumentId:
    return InstrumentId(Symbol(f"{right[0].upper()}{strike_cents}"), VENUE)


class PutSpread(Strategy):
    """The trade of `bench.peers.day`."""

    def __init__(self, chosen: day.Day) -> None:
        super().__init__()
        self.strikes_cents = chosen.strikes_cents
        open_ns = int(chosen.at_ms[0]) * 1_000_000
        self.entry_ns = open_ns + day.OPEN_TO_ENTRY_MS * 1_000_000
        self.exit_ns = open_ns + day.OPEN_TO_EXIT_MS * 1_000_000
        self.legs: tuple[InstrumentId, InstrumentId] | None = None
        self.mids: dict[InstrumentId, float] = {}
        self.fills: list[tuple[str, float]] = []
        self.is_ordered = self.is_leaving = False

    def on_start(self) -> None:
        self.subscribe_quote_ticks(SPOT)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        if tick.instrument_id == SPOT:
            if self.legs is None and tick.ts_event >= self.entry_ns:
                spot_cents = round(100 * float(tick.bid_price))
                sold, bought = day.legs_at(spot_cents, self.strikes_cents)
                self.legs = leg_id("put", sold), leg_id("put", bought)
                for leg in self.legs:
                    self.subscribe_quote_ticks(leg)
            return
        self.mids[tick.instrument_id] = (float(tick.bid_price) + float(tick.ask_price)) / 2
        if len(self.mids) < 2:
            return
        sold, bought = self.legs
        if not self.is_ordered:
            self.is_ordered = True
            price = Price(round(self.mids[sold] * 20) / 20, 2)
            self.submit_order(self.order_factory.limit(sold, OrderSide.SELL, ONE, price))
        elif len(self.fills) == 2 and not self.is_leaving and self._must_leave(tick.ts_event):
            self.is_leaving = True
            self.submit_order(self.order_factory.market(sold, OrderSide.BUY, ONE))
            self.submit_order(self.order_factory.market(bought, OrderSide.SELL, ONE))

    def on_order_filled(self, event: object) -> None:
        self.fills.append((event.instrument_id.symbol.value, float(event.last_px)))
        if len(self.fills) == 1:
            self.submit_order(self.order_factory.market(self.legs[1], OrderSide.BUY, ONE))

    def _must_leave(self, now_ns: int) -> bool:
        credit = self.fills[0][1] - self.fills[1][1]
        profit = credit - (self.mids[self.legs[0]] - self.mids[self.legs[1]])
        return (
            now_ns >= self.exit_ns
            or profit >= credit * day.TARGET_PCT / 100
            or profit <= -credit * day.STOP_PCT / 100
        )


def option(right: str, strike_cents: int, first_ns: int) -> OptionContract:
    instrument = leg_id(right, strike_cents)
    return OptionContract(
        instrument_id=instrument,
        raw_symbol=instrument.symbol,
        asset_class=AssetClass.INDEX,
        currency=USD,
        price_precision=2,
        price_increment=Price(0.05, 2),
        multiplier=Quantity.from_int(100),
        lot_size=ONE,
        underlying="SPX",
        option_kind=OptionKind.CALL if right == "call" else OptionKind.PUT,
        strike_price=Price(strike_cents / 100, 2),
        activation_ns=first_ns - 86_400 * 10**9,
        expiration_ns=first_ns + 86_400 * 10**9,
        ts_event=first_ns,
        ts_init=first_ns,
    )


def ticks_of(
    instrument: InstrumentId, at_ns: np.ndarray, bids: np.ndarray, asks: np.ndarray
) -> list[QuoteTick]:
    """The seconds in which both sides are there."""
    there = (bids >= 0) & (asks >= bids)
    sizes = np.full(int(there.sum()), SIZE)
    return QuoteTick.from_raw_arrays_to_list(
        instrument, 2, 0, bids[there] / 100, asks[there] / 100, sizes, sizes,
        at_ns[there], at_ns[there],
    )  # fmt: skip


def run(path: str) -> tuple[float, int, int, str]:
    chosen = day.read_day(path)
    at_ns = chosen.at_ms.astype(np.uint64) * np.uint64(1_000_000)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(day.CAPITAL_USD, USD)],
        base_currency=USD, fee_model=PerContractFeeModel(Money(day.OPEN_FEE_USD, USD)),
    )  # fmt: skip
    engine.add_instrument(
        Equity(SPOT, SPOT.symbol, USD, 2, Price(0.01, 2), ONE, int(at_ns[0]), int(at_ns[0]))
    )
    spot = chosen.spot_cents
    ticks = ticks_of(SPOT, at_ns, spot, spot)
    for right in ("call", "put"):
        for row, strike_cents in enumerate(chosen.strikes_cents):
            engine.add_instrument(option(right, strike_cents, int(at_ns[0])))
            bids = chosen.sides[f"{right}_bid_cents"][:, row]
            asks = chosen.sides[f"{right}_ask_cents"][:, row]
            ticks += ticks_of(leg_id(right, strike_cents), at_ns, bids, asks)
    ticks.sort(key=attrgetter("ts_init"))
    engine.add_data(ticks, sort=False)
    strategy = PutSpread(chosen)
    engine.add_strategy(strategy)
    loaded_at = day.clock()
    engine.run()
    return loaded_at, chosen.quotes, len(strategy.fills), day.in_words(strategy.fills)


if __name__ == "__main__":
    day.report(run)
