"""An operator's word on what a day settled at (`bin/manage market settle`).

A value that was missing lets the day's sessions settle. Another value than before is a correction:
settled sessions stay as they are, and whoever keeps balances is told, in the same transaction, to
book the difference (bots.corrections). Nothing here guesses.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.dispatch import Signal

from common import errors
from marketdata import wakeups
from marketdata.models import MarketDay

OPERATOR = "operator"  # settlement_source of such a value

# Sent with trading_date, old_cents (None for a first value), new_cents, reason and entered_by.
settlement_entered = Signal()


class NoSuchDay(errors.NotFound):
    """No such day ran here."""


class DayNotClosed(errors.Conflict):
    code = "day_not_closed"


class BadSettlement(errors.InvalidInput):
    """Not a settlement value, or no reason with it."""


def enter_settlement(
    *, trading_date: date, settlement_cents: int, reason: str, entered_by: str
) -> MarketDay:
    """The day with this value from now on; the same value again changes nothing.

    Raises NoSuchDay, DayNotClosed, BadSettlement.
    """
    if settlement_cents <= 0:
        raise BadSettlement("The settlement value must be above 0.")
    if not reason.strip():
        raise BadSettlement("Say why: the reason is kept with the value.")
    with transaction.atomic():
        day = MarketDay.objects.select_for_update().filter(pk=trading_date).first()
        if day is None:
            raise NoSuchDay(f"{trading_date} did not run here.")
        if day.status != MarketDay.Status.CLOSED:
            raise DayNotClosed(f"{trading_date} is not closed yet; its value comes with the close.")
        old_cents = day.settlement_cents
        if old_cents == settlement_cents:
            return day
        day.settlement_cents, day.settlement_source = settlement_cents, OPERATOR
        day.save(update_fields=["settlement_cents", "settlement_source"])
        settlement_entered.send(
            sender=MarketDay,
            trading_date=trading_date,
            old_cents=old_cents,
            new_cents=settlement_cents,
            reason=reason.strip(),
            entered_by=entered_by,
        )
        transaction.on_commit(lambda: wakeups.day_changed(trading_date, day.status))
    return day
