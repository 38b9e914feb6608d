"""A vendor without a wire, and a clock that only moves when the link waits or listens."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

from marketdata.feeds.live.vendor import SPX, Event, IndexValue, OptionQuote, VendorError
from simengine.market import CALL, PUT, Contract
from tests.marketdata.factories import OPEN_AT

STRIKES = list(range(550_000, 640_500, 500))


class LiveWall:
    """Wall time and the monotonic clock in one; `wait` passes at once."""

    def __init__(self, at: datetime = OPEN_AT + timedelta(hours=1)) -> None:
        self.at = at
        self.is_stopping = False
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.on_wait()


class FakeStopping:
    """threading.Event whose waits pass at once and are remembered; set after `limit` of them."""

    def __init__(self, wall: LiveWall, limit: int) -> None:
        self.waits: list[float] = []
        self._wall, self._limit = wall, limit
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def wait(self, timeout: float) -> bool:
        self.waits.append(timeout)
        self._wall.wait(timeout)
        if len(self.waits) >= self._limit:
            self.set()
        return self._is_set


class ScriptedStream:
    """Answers each `receive` with the next of `script`: events, or an error to raise."""

    about = "scripted"
    strikes_cents = STRIKES

    def __init__(self, wall: LiveWall, script: list[list[Event] | Exception]) -> None:
        self.subscriptions: list[tuple[set[int], set[int]]] = []
        self.is_closed = False
        self._wall, self._script = wall, iter(script)

    def subscribe(self, *, add: Collection[int], remove: Collection[int]) -> None:
        self.subscriptions.append((set(add), set(remove)))

    def receive(self, timeout_seconds: float) -> list[Event]:
        self._wall.wait(timeout_seconds)
        step = next(self._script, VendorError("the script is over"))
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.is_closed = True


class ScriptedVendor:
    """Opens the given streams one after the other; an error among them is raised instead."""

    name = "scripted"

    def __init__(self, *streams: ScriptedStream | Exception) -> None:
        self.opened = 0
        self._streams = list(streams)

    def open(self, trading_date: date) -> ScriptedStream:
        self.opened += 1
        stream = self._streams[min(self.opened, len(self._streams)) - 1]
        if isinstance(stream, Exception):
            raise stream
        return stream

    def close(self) -> None:
        """Nothing is kept."""


def spot(cents: int, at_ms: int = 0) -> IndexValue:
    return IndexValue(SPX, cents, at_ms)


def call(strike: int, bid: int, ask: int, at_ms: int = 0) -> OptionQuote:
    return OptionQuote(Contract(CALL, strike), bid, ask, at_ms)


def put(strike: int, bid: int, ask: int, at_ms: int = 0) -> OptionQuote:
    return OptionQuote(Contract(PUT, strike), bid, ask, at_ms)
