"""Keeps a live feed connected: strikes that follow spot, silence noticed, back-off between tries.

One thread of its own, from `start` to `stop`. What it hears goes to the book; what goes wrong is
logged, waited for and tried again. An error nobody expects ends the thread and is raised where the
feed is read (`check`).
"""

from __future__ import annotations

import logging
import threading
from datetime import date, datetime
from random import Random
from typing import Protocol

from common.times import to_ms
from marketdata.feeds.live.backoff import Backoff
from marketdata.feeds.live.book import QuoteBook
from marketdata.feeds.live.strikes import FOLLOW_CENTS, followed
from marketdata.feeds.live.vendor import OptionQuote, Refused, Stream, Vendor, VendorError
from marketdata.pacing import Wall

log = logging.getLogger(__name__)

RECEIVE_SECONDS = 0.25
SILENT_AFTER_SECONDS = 10.0  # without any data in trading hours; heartbeats do not count
QUOTES_SILENT_AFTER_SECONDS = 30.0  # without one of all the options, while the index goes on
STEADY_AFTER_SECONDS = 60.0  # a connection that held this long was a good one
REFUSED_SECONDS = 300.0  # many failed logins get an address blocked for hours
JOIN_SECONDS = 5.0


class Stopping(Protocol):
    """threading.Event, as far as we use it."""

    def is_set(self) -> bool: ...

    def set(self) -> None: ...

    def wait(self, timeout: float) -> bool: ...


class Link:
    """`hours` are the day's open and close; `stopping` is where it waits and sees it is asked to
    stop.
    """

    def __init__(
        self,
        *,
        vendor: Vendor,
        trading_date: date,
        hours: tuple[datetime, datetime],
        book: QuoteBook,
        wall: Wall,
        rng: Random,
        stopping: Stopping | None = None,
    ) -> None:
        self.is_connected = False
        self._vendor, self._trading_date, self._hours = vendor, trading_date, hours
        self._book, self._wall = book, wall
        self._backoff = Backoff(rng)
        self._stopping: Stopping = stopping or threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"live-{vendor.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(JOIN_SECONDS)

    def check(self) -> None:
        """Raises what ended the thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def listen(self) -> None:
        """Connect, listen, and after trouble wait and connect again, until asked to stop."""
        while not self._stopping.is_set():
            seconds = self._listen_once()
            self._stopping.wait(seconds)

    def _run(self) -> None:
        try:
            self.listen()
        except Exception as exc:  # raised again by `check`, in the thread that publishes
            log.exception("the live feed's listener ended")
            self._failure = exc

    def _listen_once(self) -> float:
        """One connection from its opening to its end; returns the seconds to wait after it."""
        started = self._wall.monotonic()
        try:
            self._connect_and_watch()
            return 0.0
        except Refused as exc:
            log.error("%s refuses us: %s; next try in %g s", self._name, exc, REFUSED_SECONDS)
            return REFUSED_SECONDS
        except VendorError as exc:
            if self._wall.monotonic() - started >= STEADY_AFTER_SECONDS:
                self._backoff.reset()
            seconds = self._backoff.next_seconds()
            log.warning("%s is lost: %s; next try in %.1f s", self._name, exc, seconds)
            return seconds
        finally:
            self.is_connected = False
            self._book.clear()

    @property
    def _name(self) -> str:
        return f"live:{self._vendor.name}"

    def _connect_and_watch(self) -> None:
        stream = self._vendor.open(self._trading_date)
        try:
            self.is_connected = True
            log.info("%s: %s, %d strikes", self._name, stream.about, len(stream.strikes_cents))
            self._watch(stream)
        finally:
            stream.close()

    def _watch(self, stream: Stream) -> None:
        subscribed: set[int] = set()
        centre_cents = 0
        heard = quoted = self._wall.monotonic()
        while not self._stopping.is_set():
            events = stream.receive(RECEIVE_SECONDS)
            now = self._wall.monotonic()
            if events:
                heard = now
                self._book.apply(events, to_ms(self._wall.now()))
            if not subscribed or any(isinstance(event, OptionQuote) for event in events):
                quoted = now
            self._raise_if_silent(data_seconds=now - heard, quotes_seconds=now - quoted)
            spot = self._book.spot_cents
            if spot is None or abs(spot - centre_cents) < FOLLOW_CENTS:
                continue
            centre_cents = spot
            wanted = followed(stream.strikes_cents, spot, subscribed)
            stream.subscribe(add=wanted - subscribed, remove=subscribed - wanted)
            subscribed = wanted

    def _raise_if_silent(self, *, data_seconds: float, quotes_seconds: float) -> None:
        """Silence counts from the open on: before it there is nothing to hear."""
        opens, closes = self._hours
        now = self._wall.now()
        if not opens <= now < closes:
            return
        open_seconds = (now - opens).total_seconds()
        data_seconds = min(data_seconds, open_seconds)
        quotes_seconds = min(quotes_seconds, open_seconds)
        if data_seconds > SILENT_AFTER_SECONDS:
            raise VendorError(f"no data for {SILENT_AFTER_SECONDS:g} s in trading hours")
        if quotes_seconds > QUOTES_SILENT_AFTER_SECONDS:
            raise VendorError(f"no option quote for {QUOTES_SILENT_AFTER_SECONDS:g} s")
