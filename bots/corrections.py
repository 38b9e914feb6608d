"""A corrected settlement value, booked on the balances it would have changed.

A settled session's rows are never edited. What its positions would have brought at the corrected
value, less what they brought, is one BalanceAdjustment on the bot: append-only, with who, when and
why. The books of a session stand at the value of its `settled` event, or of its last adjustment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from bots.models import BalanceAdjustment, Bot, SettlementCorrection
from common.money import usd
from sessions.models import BotSession, Transaction
from simengine.ending import intrinsic_cents
from simengine.market import MULTIPLIER, parse_symbol


def note_correction(
    *,
    trading_date: date,
    old_cents: int | None,
    new_cents: int,
    reason: str,
    entered_by: str,
    **_signal: Any,
) -> None:
    """Receiver of marketdata.settlement.settlement_entered; in the transaction of the new value."""
    SettlementCorrection.objects.create(
        trading_date=trading_date,
        old_cents=old_cents,
        new_cents=new_cents,
        reason=reason,
        entered_by=entered_by,
        entered_at=timezone.now(),
    )


def apply_corrections(*, now: datetime) -> int:
    """Book what is not booked yet; how many adjustments that made. Safe twice at once.

    A correction stays open while a session of its day is unsettled: its runner may have read the
    value of before.
    """
    made = 0
    for correction in SettlementCorrection.objects.filter(applied_at=None).order_by("pk"):
        todays = BotSession.objects.filter(trading_date=correction.trading_date)
        # Asked before the settled ones are listed: none can settle unseen in between.
        is_complete = not todays.unfinished().exists()
        held = todays.settled().filter(transactions__order_number=None).distinct()
        for session in held.exclude(adjustments__correction=correction).defer("state"):
            made += _adjust(session, correction, now)
        if is_complete:
            SettlementCorrection.objects.filter(pk=correction.pk, applied_at=None).update(
                applied_at=now
            )
    return made


def settled_cash_cents(
    settlement: Iterable[Transaction], *, settlement_cents: int, exercise_fee_cents: int
) -> int:
    """What the positions of these settlement rows bring at a value, less fees (domain.md 8)."""
    total_cents = 0
    for row in settlement:
        contract = parse_symbol(row.instrument)[1]
        worth_cents = MULTIPLIER * intrinsic_cents(contract, settlement_cents)
        signed_quantity = row.quantity if row.effect == "credit" else -row.quantity
        total_cents += signed_quantity * worth_cents
        total_cents -= exercise_fee_cents if worth_cents else 0
    return total_cents


@transaction.atomic
def _adjust(session: BotSession, correction: SettlementCorrection, now: datetime) -> int:
    bot = Bot.objects.select_for_update().filter(pk=session.bot_id).first()
    if bot is None or session.adjustments.filter(correction=correction).exists():
        return 0  # deleted meanwhile, or booked by another run
    old_cents = _books_stand_at(session)
    amount_cents = _worth(session, correction.new_cents) - _worth(session, old_cents)
    if not amount_cents:
        return 0
    before_cents = bot.cash_balance_cents
    bot.cash_balance_cents += amount_cents
    bot.save(update_fields=["cash_balance_cents", "updated_at"])
    BalanceAdjustment.objects.create(
        bot=bot,
        session=session,
        carried_after=_carrier(bot),
        correction=correction,
        old_settlement_cents=old_cents,
        new_settlement_cents=correction.new_cents,
        amount_cents=amount_cents,
        balance_before_cents=before_cents,
        balance_after_cents=bot.cash_balance_cents,
        reason=f"settlement of {session.trading_date} corrected from {usd(old_cents)} to "
        f"{usd(correction.new_cents)}: {correction.reason}",
        made_by=correction.entered_by,
        made_at=now,
    )
    return 1


def _books_stand_at(session: BotSession) -> int:
    last = session.adjustments.order_by("-pk").first()
    if last is not None:
        return last.new_settlement_cents
    return int(session.events.get(kind="settled").data["settlement_cents"])


def _worth(session: BotSession, settlement_cents: int) -> int:
    assert session.fee_schedule is not None  # frozen before anything was traded
    return settled_cash_cents(
        session.transactions.filter(order_number=None),
        settlement_cents=settlement_cents,
        exercise_fee_cents=session.fee_schedule["exercise_cents"],
    )


def _carrier(bot: Bot) -> BotSession:
    """The session whose closing balance the adjustment follows: the one that runs, if any."""
    opened = bot.sessions.filter(opening_balance_cents__isnull=False).defer("state")
    running = opened.unfinished().first()
    return running or opened.latest("trading_date")
