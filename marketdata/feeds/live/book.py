"""The newest quotes of a live feed, and the tick they make on the second.

Filled by the thread that listens, read by the one that publishes. A quote that is older than the
one held is dropped; a price that is no price is a missing side. After a lost connection the book is
empty: what was quoted before is not known to hold.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import date

from marketdata.feeds.live.vendor import SPX, Event, IndexValue, OfficialClose, OptionQuote
from marketdata.tape.build import Snapshot, tick_of
from simengine.market import MISSING, Contract, Tick

DATA_SILENT_MS = 2_000  # after which a second has no tick
SPOT_SILENT_MS = 15_000  # of the index alone, by the vendor's time where it gives one
CLOCKS_DIFFER_MS = 5_000  # a vendor's time later than that from now is not believed


class QuoteBook:
    """Times are Unix milliseconds of our clock."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.official_closes: dict[date, int] = {}
        self._lock = threading.Lock()
        self._quotes: dict[Contract, OptionQuote] = {}
        self._index: dict[str, IndexValue] = {}
        self._heard_ms = 0
        self._spot_heard_ms = 0

    @property
    def spot_cents(self) -> int | None:
        spot = self._index.get(SPX)
        return None if spot is None else spot.hundredths

    @property
    def heard_ms(self) -> int:
        """When the last event came; 0 for none since the book was empty."""
        return self._heard_ms

    def index(self, name: str) -> int | None:
        """In hundredths."""
        value = self._index.get(name)
        return None if value is None else value.hundredths

    def quoted(self) -> set[Contract]:
        """Contracts with at least one side."""
        with self._lock:
            quotes = list(self._quotes.values())
        return {q.contract for q in quotes if (q.bid_cents, q.ask_cents) != (MISSING, MISSING)}

    def counted(self) -> Counter[str]:
        """What came and what was dropped, so far."""
        with self._lock:
            return Counter(self._counts)

    def apply(self, events: Iterable[Event], now_ms: int) -> None:
        with self._lock:
            for event in events:
                match event:
                    case OptionQuote():
                        self._take_quote(event, now_ms)
                    case IndexValue():
                        self._take_index(event, now_ms)
                    case OfficialClose():
                        self.official_closes[event.trading_date] = event.cents
                        continue
                self._heard_ms = now_ms

    def clear(self) -> None:
        with self._lock:
            self._quotes.clear()
            self._index.clear()
            self._heard_ms = self._spot_heard_ms = 0

    def snapshot(self, at_ms: int, now_ms: int) -> Tick | None:
        """The tick of the second `at_ms`, taken now; None while the feed is silent."""
        with self._lock:
            spot = self.spot_cents
            if spot is None or now_ms - self._heard_ms > DATA_SILENT_MS:
                self._counts["no tick: nothing heard"] += 1
                return None
            if now_ms - self._spot_heard_ms > SPOT_SILENT_MS:
                self._counts["no tick: the index is silent"] += 1
                return None
            taken = Snapshot(at_ms=at_ms, spot_cents=spot, vix_hundredths=self.index("VIX"))
            for (right, strike), quote in self._quotes.items():
                taken.side(right)[strike] = (quote.bid_cents, quote.ask_cents, None)
        return tick_of(taken, seq=1, received_ms=now_ms)

    def _take_quote(self, quote: OptionQuote, now_ms: int) -> None:
        self._counts["quotes"] += 1
        if self._is_older(quote.at_ms, self._quotes.get(quote.contract), now_ms):
            self._counts["quotes dropped: older than the one held"] += 1
            return
        if quote.bid_cents == quote.ask_cents == 0:
            quote = quote._replace(bid_cents=MISSING, ask_cents=MISSING)  # nobody quotes it
        self._quotes[quote.contract] = quote

    def _take_index(self, value: IndexValue, now_ms: int) -> None:
        self._counts["index values"] += 1
        if self._is_older(value.at_ms, self._index.get(value.name), now_ms):
            self._counts["index values dropped: older than the one held"] += 1
            return
        self._index[value.name] = value
        if value.name == SPX:
            # A connection begins with the last value there is, yesterday's before the open.
            self._spot_heard_ms = min(now_ms, value.at_ms or now_ms)

    def _is_older(self, at_ms: int, held: OptionQuote | IndexValue | None, now_ms: int) -> bool:
        """Only where both times are known and neither is of the future."""
        if held is None or not at_ms or max(at_ms, held.at_ms) > now_ms + CLOCKS_DIFFER_MS:
            return False
        return at_ms < held.at_ms
