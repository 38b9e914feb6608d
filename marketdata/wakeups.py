"""The market's wake-ups: ticks were appended, a day changed its status.

`market:ticks` carries "2026-05-07 1234" (trading date, last seq) after every batch of ticks,
`market:days` carries "2026-05-07 closed" whenever a day changes its status.
"""

from __future__ import annotations

from datetime import date

from common import wakeups

TICKS_CHANNEL = "market:ticks"
DAYS_CHANNEL = "market:days"


def ticks_appended(trading_date: date, last_seq: int) -> None:
    wakeups.publish(TICKS_CHANNEL, f"{trading_date} {last_seq}")


def day_changed(trading_date: date, status: str) -> None:
    wakeups.publish(DAYS_CHANNEL, f"{trading_date} {status}")
