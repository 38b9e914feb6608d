"""A corrected settlement value is a new entry on the balance; settled rows never change."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from bots.corrections import apply_corrections
from bots.models import BalanceAdjustment, Bot, SettlementCorrection
from bots.tasks import adjust_balances
from marketdata.settlement import BadSettlement, DayNotClosed, NoSuchDay, enter_settlement
from sessions.models import BotSession, SessionEvent, Transaction
from sessions.services import start_session
from tests.parallel import together
from tests.sessions import market
from tests.sessions.conftest import drive

pytestmark = pytest.mark.django_db
IN_THE_MONEY_CENTS = 594_000  # the short put 5945 is worth 5.00, the long 5920 nothing


def correct(cents: int, reason: str = "the exchange corrected it") -> None:
    enter_settlement(
        trading_date=market.DAY, settlement_cents=cents, reason=reason, entered_by="root"
    )


def ledger(session: BotSession) -> list[tuple]:
    """Every row of the session, as tuples."""
    kinds = (Transaction, SessionEvent)
    rows = [row for kind in kinds for row in kind.objects.filter(session=session).values_list()]
    rows += BotSession.objects.filter(pk=session.pk).values_list()
    return sorted(map(repr, rows))


def test_the_difference_is_booked_to_the_cent_with_who_when_and_why(held_to_the_close):
    session = held_to_the_close()
    before = Bot.objects.get(pk=session.bot_id).cash_balance_cents

    correct(IN_THE_MONEY_CENTS)
    made = apply_corrections(now=timezone.now())

    # One short put settles 5.00 in the money: 500.00 and one assignment fee of 5.00.
    row = BalanceAdjustment.objects.get()
    assert made == 1
    assert row.amount_cents == -50_000 - 500
    assert (row.balance_before_cents, row.balance_after_cents) == (before, before - 50_500)
    assert (row.old_settlement_cents, row.new_settlement_cents) == (595_000, 594_000)
    assert row.made_by == "root"
    assert row.reason == (
        "settlement of 2026-05-07 corrected from 5950 to 5940: the exchange corrected it"
    )
    assert row.made_at is not None
    assert Bot.objects.get(pk=session.bot_id).cash_balance_cents == before - 50_500


def test_no_row_of_the_settled_session_changes(held_to_the_close):
    session = held_to_the_close()
    before = ledger(session)

    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())

    assert ledger(session) == before


def test_the_same_value_or_one_that_changes_nothing_books_nothing(held_to_the_close):
    session = held_to_the_close()
    before = Bot.objects.get(pk=session.bot_id).cash_balance_cents

    correct(market.SPOT_CENTS)
    correct(596_000)  # still out of the money
    apply_corrections(now=timezone.now())

    assert not BalanceAdjustment.objects.exists()
    assert SettlementCorrection.objects.get().applied_at is not None
    assert Bot.objects.get(pk=session.bot_id).cash_balance_cents == before


def test_a_correction_of_a_correction_comes_back_to_the_cent(held_to_the_close):
    session = held_to_the_close()
    before = Bot.objects.get(pk=session.bot_id).cash_balance_cents

    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())
    correct(market.SPOT_CENTS, "it was right after all")
    apply_corrections(now=timezone.now())

    amounts = list(BalanceAdjustment.objects.order_by("pk").values_list("amount_cents", flat=True))
    assert amounts == [-50_500, 50_500]
    assert Bot.objects.get(pk=session.bot_id).cash_balance_cents == before


def test_closing_balance_and_adjustments_make_the_next_opening_balance(
    held_to_the_close, alice, runner
):
    first = held_to_the_close()
    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())
    next_day = market.DAY.replace(day=8)
    market.announce(next_day)
    market.set_clock(market.OPEN_AT.replace(day=8), market.MarketDay.objects.get(pk=next_day))

    second = start_session(user=alice, bot_id=first.bot_id)

    row = BalanceAdjustment.objects.get()
    assert row.carried_after_id == first.pk
    assert second.opening_balance_cents == first.final_nlv_cents + row.amount_cents


def test_a_correction_while_the_next_session_runs_survives_its_settlement(
    held_to_the_close, alice, runner
):
    first = held_to_the_close()
    next_day = market.DAY.replace(day=8)
    market.announce(next_day)
    market.set_clock(market.OPEN_AT.replace(day=8), market.MarketDay.objects.get(pk=next_day))
    second = start_session(user=alice, bot_id=first.bot_id)

    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())
    driver = runner()
    drive(driver)
    market.close(next_day)
    drive(driver)

    row = BalanceAdjustment.objects.get()
    second.refresh_from_db()
    bot = Bot.objects.get(pk=first.bot_id)
    assert row.carried_after_id == second.pk
    assert second.opening_balance_cents == first.final_nlv_cents
    assert second.settled_at is not None
    assert bot.cash_balance_cents == second.final_nlv_cents + row.amount_cents


def test_a_missing_value_that_is_entered_settles_without_an_adjustment(held_to_the_close, runner):
    session = held_to_the_close(settlement_cents=None)
    waiting = session.status

    correct(IN_THE_MONEY_CENTS, "the feed had none")
    early = apply_corrections(now=timezone.now())
    still_open = SettlementCorrection.objects.get().applied_at
    drive(runner())
    apply_corrections(now=timezone.now())

    session.refresh_from_db()
    assert (waiting, session.status) == ("settling", "completed")
    assert session.events.get(kind="settled").data["settlement_cents"] == IN_THE_MONEY_CENTS
    assert (early, still_open) == (0, None)  # open until every session stands at the value
    assert SettlementCorrection.objects.get().applied_at is not None
    assert not BalanceAdjustment.objects.exists()


def test_an_adjustment_cannot_be_edited_even_by_sql_and_goes_with_its_bot(held_to_the_close):
    session = held_to_the_close()
    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())

    with pytest.raises(IntegrityError, match="is in the books"), transaction.atomic():
        BalanceAdjustment.objects.update(reason="nothing to see")
    Bot.objects.get(pk=session.bot_id).delete()

    assert not BalanceAdjustment.objects.exists()


def test_the_owner_reads_the_adjustments_of_a_bot(held_to_the_close, alice, client_for):
    session = held_to_the_close()
    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())

    shown = client_for(alice).get(f"/api/bots/{session.bot_id}/adjustments").json()

    assert [row["amount"] for row in shown] == ["-505"]
    assert shown[0]["session_id"] == str(session.pk)
    assert (shown[0]["old_settlement"], shown[0]["new_settlement"]) == ("5950", "5940")


@pytest.mark.parametrize(
    ("cents", "reason", "refusal"),
    [(0, "why", BadSettlement), (-1, "why", BadSettlement), (595_000, "  ", BadSettlement)],
)
def test_a_value_needs_to_be_one_and_a_reason(db, cents, reason, refusal):
    market.announce()
    market.close()

    with pytest.raises(refusal):
        correct(cents, reason)


def test_a_day_that_runs_or_never_ran_takes_no_value(db):
    market.announce()

    with pytest.raises(DayNotClosed):
        correct(595_000)
    market.MarketDay.objects.all().delete()
    with pytest.raises(NoSuchDay):
        correct(595_000)


def test_the_command_enters_a_value_and_says_what_is_wrong(db):
    market.announce()
    market.close(settlement_cents=None)

    call_command("market", "settle", "2026-05-07", "5940.12", "--reason", "official", verbosity=0)

    entered = SettlementCorrection.objects.get()
    assert (entered.old_cents, entered.new_cents, entered.reason) == (None, 594_012, "official")
    assert entered.entered_by
    with pytest.raises(CommandError, match="did not run here"):
        call_command("market", "settle", "2026-05-06", "5940.12", "--reason", "official")


@pytest.mark.django_db(transaction=True)
def test_two_bookings_at_once_book_once(held_to_the_close):
    session = held_to_the_close()
    before = Bot.objects.get(pk=session.bot_id).cash_balance_cents
    correct(IN_THE_MONEY_CENTS)

    together([adjust_balances] * 4)

    assert BalanceAdjustment.objects.count() == 1
    assert Bot.objects.get(pk=session.bot_id).cash_balance_cents == before - 50_500


def test_the_database_refuses_a_second_booking_of_one_correction(held_to_the_close):
    held_to_the_close()
    correct(IN_THE_MONEY_CENTS)
    apply_corrections(now=timezone.now())
    row = BalanceAdjustment.objects.get()

    row.pk = None
    with pytest.raises(IntegrityError, match="one_adjustment_per_correction"), transaction.atomic():
        row.save(force_insert=True)
