"""What a tick's greeks cost: `python -m bench.greeks`: 400 quotes belong well under 5 ms.

Prints the median and the 99th percentile, in milliseconds, of the parity forward, the expected
move and all deltas of one tick, over the seconds of a synthetic day.
"""

from __future__ import annotations

import statistics
import time
from datetime import date

from marketdata import greeks
from marketdata.feeds.synthetic import SyntheticFeed

EVERY_SECONDS = 23


def main() -> None:
    durations, contracts = [], 0
    for tick in SyntheticFeed(42, date(2026, 11, 23)).ticks(0):
        if tick.seq % EVERY_SECONDS:
            continue
        contracts = 2 * len(tick.strikes_cents)
        started = time.perf_counter()
        quotes = greeks.Quotes.of(
            tick.strikes_cents,
            tick.call_bid_cents,
            tick.call_ask_cents,
            tick.put_bid_cents,
            tick.put_ask_cents,
        )
        greeks.expected_move_cents(quotes, tick.spot_cents)
        greeks.deltas_e4(quotes, tick.spot_cents)
        durations.append(1000 * (time.perf_counter() - started))
    most = statistics.quantiles(durations, n=100)[98]
    print(
        f"{contracts} quotes, {len(durations)} ticks:"
        f" median {statistics.median(durations):.2f} ms, 99 % {most:.2f} ms"
    )


if __name__ == "__main__":
    main()
