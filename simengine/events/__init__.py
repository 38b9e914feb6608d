"""What a step says happened: the engine's only output.

Rows, streams and analysis are made from events. Prices are signed cents per package, amounts are
cents, times Unix milliseconds. The order within a tick is the order in which things happened.
"""

from simengine.events.base import Event
from simengine.events.books import Booked, ExitTriggered, PositionChanged, TradeClosed, TradeOpened
from simengine.events.ending import (
    BudgetExceeded,
    Closed,
    DailyLossReached,
    Ended,
    ErrorCounted,
    Finalized,
    Flattening,
    Settled,
)
from simengine.events.orders import (
    Canceled,
    Expired,
    Filled,
    OrderPlaced,
    Refused,
    Rejected,
    Replaced,
    Repriced,
    StopTriggered,
)
from simengine.events.tape import GapNoted, StaleEnded, StaleStarted, Started, TickIgnored
from simengine.events.words import EntryPlanned, EntryResolved, Logged, Signalled

__all__ = [
    "Booked",
    "BudgetExceeded",
    "Canceled",
    "Closed",
    "DailyLossReached",
    "Ended",
    "EntryPlanned",
    "EntryResolved",
    "ErrorCounted",
    "Event",
    "ExitTriggered",
    "Expired",
    "Filled",
    "Finalized",
    "Flattening",
    "GapNoted",
    "Logged",
    "OrderPlaced",
    "PositionChanged",
    "Refused",
    "Rejected",
    "Replaced",
    "Repriced",
    "Settled",
    "Signalled",
    "StaleEnded",
    "StaleStarted",
    "Started",
    "StopTriggered",
    "TickIgnored",
    "TradeClosed",
    "TradeOpened",
]
