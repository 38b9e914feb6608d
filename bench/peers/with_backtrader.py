"""backtrader on the day: every quote column is a data feed of one-second bars (the mid is all four
prices), because it knows no quotes; orders fill on the next bar's prices.

It has no order of two legs, so the sold put rests as a limit at its mid and the bought one follows
at market; out of it both go at market.
"""

from __future__ import annotations

from datetime import UTC, datetime

import backtrader as bt
import numpy as np

from bench.peers import day


class Mids(bt.feed.DataBase):
    """Bars made of one column of mids; a second without both sides repeats the last."""

    params = (("days", None), ("mids", None))

    def start(self) -> None:
        super().start()
        self.row = 0

    def _load(self) -> bool:
        row = self.row
        if row >= len(self.p.days):
            return False
        self.row += 1
        lines, mid = self.lines, self.p.mids[row]
        lines.datetime[0] = self.p.days[row]
        lines.open[0] = lines.high[0] = lines.low[0] = lines.close[0] = mid
        lines.volume[0] = lines.openinterest[0] = 0.0
        return True


class PutSpread(bt.Strategy):
    """The trade of `bench.peers.day`."""

    params = (("chosen", None),)

    def __init__(self) -> None:
        self.spot = self.getdatabyname("SPX")
        self.legs = None
        self.fills: list[tuple[str, float]] = []
        self.is_leaving = False

    def next(self) -> None:
        passed_ms = 1000 * (len(self.spot) - 1)
        if self.legs is None:
            if passed_ms >= day.OPEN_TO_ENTRY_MS:
                self._enter()
        elif len(self.fills) == 2 and not self.is_leaving and self._must_leave(passed_ms):
            self.is_leaving = True
            self.buy(self.legs[0], size=1)
            self.sell(self.legs[1], size=1)

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            self.fills.append((order.data._name, order.executed.price))
            if len(self.fills) == 1:
                self.buy(self.legs[1], size=1)

    def _enter(self) -> None:
        spot_cents = round(100 * self.spot.close[0])
        strikes = day.legs_at(spot_cents, self.p.chosen.strikes_cents)
        self.legs = [self.getdatabyname(f"P{strike}") for strike in strikes]
        price = round(self.legs[0].close[0] * 20) / 20
        self.sell(self.legs[0], size=1, exectype=bt.Order.Limit, price=price)

    def _must_leave(self, passed_ms: int) -> bool:
        credit = self.fills[0][1] - self.fills[1][1]
        profit = credit - (self.legs[0].close[0] - self.legs[1].close[0])
        return (
            passed_ms >= day.OPEN_TO_EXIT_MS
            or profit >= credit * day.TARGET_PCT / 100
            or profit <= -credit * day.STOP_PCT / 100
        )


def mids_of(bids: np.ndarray, asks: np.ndarray) -> list[float]:
    there = (bids >= 0) & (asks >= bids)
    last = np.maximum.accumulate(np.where(there, np.arange(len(bids)), 0))
    mids = np.where(there, (bids + asks) / 200, 0.0)
    return mids[last].tolist()


def run(path: str) -> tuple[float, int, int, str]:
    chosen = day.read_day(path)
    times = [datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None) for at in chosen.at_ms]
    days = [bt.date2num(at) for at in times]
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(day.CAPITAL_USD)
    cerebro.broker.addcommissioninfo(
        bt.CommissionInfo(commission=day.OPEN_FEE_USD, mult=100, margin=1.0, stocklike=False)
    )
    columns = {"SPX": mids_of(chosen.spot_cents, chosen.spot_cents)}
    for right in ("call", "put"):
        for row, strike_cents in enumerate(chosen.strikes_cents):
            bids = chosen.sides[f"{right}_bid_cents"][:, row]
            asks = chosen.sides[f"{right}_ask_cents"][:, row]
            columns[f"{right[0].upper()}{strike_cents}"] = mids_of(bids, asks)
    for name, mids in columns.items():
        feed = Mids(days=days, mids=mids, timeframe=bt.TimeFrame.Seconds, compression=1)
        cerebro.adddata(feed, name=name)
    cerebro.addstrategy(PutSpread, chosen=chosen)
    loaded_at = day.clock()
    (strategy,) = cerebro.run()
    return loaded_at, chosen.quotes, len(strategy.fills), day.in_words(strategy.fills)


if __name__ == "__main__":
    day.report(run)
