"""What a live vendor is to us: it opens a stream of quotes for a day. One file a vendor.

A vendor knows its login, its symbols and its wire; everything else (the book, the seconds, the
strikes, back-off and silence) is the same for all and lives beside this file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from simengine.market import Contract

SPX = "SPX"
VIX = "VIX"


class VendorError(Exception):
    """The vendor cannot serve us now: lost, overloaded, malformed. Worth trying again."""


class Refused(VendorError):
    """Credentials or rights are not accepted. Trying again soon gets an address blocked."""


class NotConfigured(Exception):
    """Variables of the environment that must be set are not. The message names them."""


class OptionQuote(NamedTuple):
    """MISSING is a side that is not there. `at_ms` is the vendor's time, 0 where it gives none."""

    contract: Contract
    bid_cents: int
    ask_cents: int
    at_ms: int


class IndexValue(NamedTuple):
    name: str  # SPX or VIX
    hundredths: int
    at_ms: int


class OfficialClose(NamedTuple):
    """The vendor's final closing value of SPX; nothing preliminary is one."""

    trading_date: date
    cents: int


Event = OptionQuote | IndexValue | OfficialClose


class Stream(Protocol):
    """An open connection. Index values and closes come by themselves, quotes once subscribed."""

    @property
    def strikes_cents(self) -> Sequence[int]:
        """The strikes that expire on the day, in order."""
        ...

    @property
    def about(self) -> str:
        """Where it leads, in a few words without a secret."""
        ...

    def subscribe(self, *, add: Collection[int], remove: Collection[int]) -> None:
        """Calls and puts of these strikes (cents). Raises VendorError."""
        ...

    def receive(self, timeout_seconds: float) -> list[Event]:
        """What came within that time; empty for nothing or a heartbeat. Keeps the connection
        alive. Raises VendorError once it is lost.
        """
        ...

    def close(self) -> None: ...


class Vendor(Protocol):
    @property
    def name(self) -> str: ...

    def open(self, trading_date: date) -> Stream:
        """Log in, look up the day's contracts, connect. Raises VendorError."""
        ...

    def close(self) -> None:
        """Let go of what is kept between two streams."""
        ...
