"""Each kind of row is corrupted, and the check meant for it turns red and names the row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from bots.corrections import apply_corrections
from bots.models import SettlementCorrection
from marketdata import recorder
from marketdata.models import MarketDay
from sessions import financials, services
from sessions.integrity.report import Report
from sessions.integrity.verify import RULES, verify
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    FinancialChunk,
    Order,
    Position,
    SessionEvent,
    Trade,
    Transaction,
)
from sessions.runner import Runner
from tests.sessions import market, recount
from tests.sessions.conftest import drive

pytestmark = pytest.mark.django_db

NAMES = [rule.name for rule in RULES]
ORDER, TRADE, POSITION, TRANSACTION, DECISION, ENTRY, EVENT, CHUNK, SESSION = (
    model._meta.db_table
    for model in (
        Order,
        Trade,
        Position,
        Transaction,
        Decision,
        Entry,
        SessionEvent,
        FinancialChunk,
        BotSession,
    )
)


@pytest.fixture
def driver(alice, make_bot, open_market, runner) -> Runner:
    """A session that has traded, and its runner."""
    services.start_session(user=alice, bot_id=make_bot(recount.TALKATIVE).pk)
    return recount.trade(runner)


@pytest.fixture
def settled(driver) -> BotSession:
    return recount.finish(driver)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sql(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def reds(report: Report) -> list[str]:
    return [check.name for check in report.broken]


def test_a_day_that_was_run_is_sound_in_every_check(settled):
    report = verify(settled.pk)

    assert reds(report) == []
    assert [check.name for check in report.checks] == NAMES
    assert [check.name for check in report.checks if check.rows_checked == 0] == []


# What is corrupted, the checks that turn red in their order, and the column the first one names.
# What is summed over the row turns red with it; the row's own check comes first.
CORRUPTIONS = [
    (f"UPDATE {ORDER} SET id = gen_random_uuid() WHERE number = 1", ["ids"], "id"),
    (f"UPDATE {EVENT} SET id = gen_random_uuid() WHERE kind = 'closed'", ["ids"], "id"),
    (
        f"UPDATE {DECISION} SET number = 9 WHERE number = 2",
        ["ids", "numbers", "decisions"],
        "id",
    ),
    (f"DELETE FROM {EVENT} WHERE kind = 'started'", ["events"], "index"),
    (f"UPDATE {EVENT} SET at = at + interval '1 s' WHERE kind = 'started'", ["events"], "at"),
    (f"UPDATE {ORDER} SET units = 7 WHERE number = 2", ["orders", "fills"], "units"),
    (
        f"UPDATE {ORDER} SET legs = '[]' WHERE number = 1",
        ["orders", "fills"],
        "legs",
    ),
    (f"UPDATE {ORDER} SET concession_cents = 1 WHERE number = 1", ["orders"], "concession_cents"),
    (
        f"UPDATE {ORDER} SET replace_count = 0 WHERE number = 1",
        ["orders", "reprices"],
        "replace_count",
    ),
    (
        f"UPDATE {ORDER} SET intended_cents = 5 WHERE number = 1",
        ["orders", "reprices"],
        "intended_cents",
    ),
    (
        f"UPDATE {ORDER} SET fill_price_cents = -1 WHERE number = 1",
        ["orders", "fills", "profits"],
        "fill_price_cents",
    ),
    (f"UPDATE {ORDER} SET fees_cents = 1 WHERE number = 1", ["orders", "fills"], "fees_cents"),
    (
        f"UPDATE {ORDER} SET status = 'pending' WHERE number = 3",
        ["orders", "fills", "pending", "roll_up", "snapshot"],
        "status",
    ),
    (
        f"UPDATE {TRANSACTION} SET fees_cents = 171 WHERE number = 1",
        ["transactions", "fills", "fees", "positions", "cash", "nlv", "margin", "roll_up",
         "snapshot"],
        "fees_cents",
    ),
    (
        f"UPDATE {TRANSACTION} SET value_cents = value_cents + 1 WHERE number = 3",
        ["transactions", "cash", "nlv", "margin", "roll_up", "snapshot"],
        "value_cents",
    ),
    (
        f"UPDATE {TRANSACTION} SET price_cents = price_cents + 1 WHERE number = 1",
        ["transactions", "fills", "positions", "profit", "roll_up"],
        "price_cents",
    ),
    (
        f"DELETE FROM {TRANSACTION} WHERE number = 8",
        ["transactions", "positions", "settlement", "roll_up", "snapshot"],
        "id",
    ),
    (
        f"UPDATE {TRADE} SET profit_cents = 0 WHERE number = 1",
        ["trades", "profits"],
        "profit_cents",
    ),
    (
        f"UPDATE {TRADE} SET status = 'open' WHERE number = 2",
        ["trades", "pending", "snapshot"],
        "status",
    ),
    (f"UPDATE {DECISION} SET message = 'x' WHERE number = 2", ["decisions"], "message"),
    (f"DELETE FROM {DECISION} WHERE number = 3", ["decisions", "snapshot"], "id"),
    (f"UPDATE {ENTRY} SET outcome = 'missed' WHERE number = 1", ["entries"], "outcome"),
    (f"DELETE FROM {ENTRY} WHERE number = 2", ["entries"], "id"),
    (
        f"UPDATE {POSITION} SET quantity = 1 WHERE instrument LIKE '%5945000'",
        ["position_events", "positions"],
        "quantity",
    ),
    (
        f"UPDATE {POSITION} SET realized_cents = 0 WHERE instrument LIKE '%5945000'",
        ["position_events", "positions"],
        "realized_cents",
    ),
    (
        f"""UPDATE {EVENT} SET data = jsonb_set(data, '{{new_cents}}', '-240')
            WHERE kind = 'repriced' AND data->>'order' = '1'""",
        ["orders", "reprices"],
        "price_cents",
    ),
    ("UPDATE marketdata_marketday SET settlement_cents = 1", ["settlement"], "data"),
    (f"UPDATE {CHUNK} SET last_seq = last_seq + 1", ["line"], "last_seq"),
    (f"UPDATE {SESSION} SET peak_nlv_cents = 1", ["roll_up"], "peak_nlv_cents"),
    (f"UPDATE {SESSION} SET max_intraday_dd_cents = 1", ["roll_up"], "max_intraday_dd_cents"),
    (f"UPDATE {SESSION} SET max_intraday_dd_bp = 99", ["roll_up"], "max_intraday_dd_bp"),
    (f"UPDATE {SESSION} SET order_count = 9", ["roll_up"], "order_count"),
    (f"UPDATE {SESSION} SET total_fees_cents = 1", ["roll_up"], "total_fees_cents"),
    (f"UPDATE {SESSION} SET final_nlv_cents = 1", ["roll_up", "carry"], "final_nlv_cents"),
    ("UPDATE bots_bot SET cash_balance_cents = 1", ["carry"], "cash_balance_cents"),
    (f"UPDATE {SESSION} SET tick_count = 3", ["counts"], "tick_count"),
    (f"UPDATE {SESSION} SET error_count = 3", ["counts", "snapshot"], "error_count"),
    (f"UPDATE {SESSION} SET status = 'killed'", ["status"], "status"),
    (
        f"UPDATE {SESSION} SET state = jsonb_set(state, '{{portfolio,cash_cents}}', '1')",
        ["snapshot"],
        "state.cash_cents",
    ),
]  # fmt: skip


def test_each_corrupted_row_turns_its_check_red_and_is_named(settled):
    found = []
    for corruption, _, _ in CORRUPTIONS:
        with undone():
            assert sql(corruption) >= 1, corruption
            report = verify(settled.pk)
        first = report.broken[0].first_break
        found.append((corruption, reds(report), first.column))
        assert first.stored != first.expected

    assert [item for item in found if item not in CORRUPTIONS] == []


def corrupt_line(row: int, column: str, by: int = 1) -> int:
    """Change one value of one second; its tick."""
    chunk = FinancialChunk.objects.get()
    matrix = financials.unpack(chunk.points).copy()
    matrix[row, financials.COLUMNS.index(column)] += by
    FinancialChunk.objects.update(points=financials.pack_matrix(matrix))
    return int(matrix[row, 0])


IN_THE_LINE = [
    ("at_ms", ["line"]),
    ("cash", ["cash"]),
    ("fees", ["cash", "profit"]),
    ("net_liquidation_value", ["nlv", "profit", "roll_up"]),
    ("profit_loss", ["profit"]),
    ("realized_profit_loss", ["profit"]),
    ("unrealized_profit_loss", ["profit"]),
    ("maintenance_margin", ["margin"]),
    ("available_buying_power", ["margin"]),
]


def test_each_wrong_value_of_one_second_is_named(settled):
    chunk = FinancialChunk.objects.get()
    found = []
    for column, _ in IN_THE_LINE:
        with undone():
            tick = corrupt_line(60, column)
            report = verify(settled.pk)
        first = report.broken[0].first_break
        found.append((column, reds(report)))
        assert (first.id, first.column) == (f"{chunk.pk}/{tick}", column)
        assert first.stored == first.expected + 1

    assert found == IN_THE_LINE


def test_a_negative_balance_after_an_accepted_order_is_named(settled):
    placed_at = settled.orders.get(number=1).tick_seq
    corrupt_line(placed_at - settled.first_seq, "available_buying_power", by=-10_000_000)

    report = verify(settled.pk)

    assert reds(report) == ["margin", "buying_power"]


def rewrite_line(change: Any) -> None:
    chunk = FinancialChunk.objects.get()
    matrix = change(financials.unpack(chunk.points).tolist())
    FinancialChunk.objects.update(
        points=financials.pack(matrix), count=len(matrix), last_seq=matrix[-1][0]
    )


def test_a_second_lost_or_repeated_is_named(settled):
    changes = {
        "lost": lambda rows: rows[:60] + rows[61:],
        "twice": lambda rows: rows[:61] + rows[60:],
        "no last one": lambda rows: rows[:-1],
    }
    found = {}
    for name, change in changes.items():
        with undone():
            rewrite_line(change)
            line = verify(settled.pk).broken[0]
        first = line.first_break
        found[name] = (line.name, first.column, first.stored, first.expected)

    assert found == {
        "lost": ("line", "seq", 63, 62),
        "twice": ("line", "seq", 62, 63),
        "no last one": ("line", "seq", None, 90),
    }


def test_the_next_day_must_open_with_what_this_one_closed_with(settled):
    sql(
        f"""INSERT INTO {SESSION} SELECT (jsonb_populate_record(s, jsonb_build_object(
            'id', gen_random_uuid(), 'trading_date', '2026-05-08', 'settled_at', null,
            'opening_balance_cents', 77, 'status', 'killed'))).* FROM {SESSION} s"""
    )

    (carry,) = verify(settled.pk).broken

    found = carry.first_break
    assert (carry.name, found.column, found.stored) == ("carry", "opening_balance_cents", 77)
    assert found.expected == settled.final_nlv_cents


def test_without_ticks_the_marks_are_not_looked_at_and_the_rest_is(settled):
    sql("TRUNCATE marketdata_tick")
    sql("DROP TABLE marketdata_tick_20260507")

    assert verify(settled.pk).is_sound
    corrupt_line(60, "cash")
    assert reds(verify(settled.pk)) == ["cash"]


def test_a_trimmed_session_is_checked_by_what_is_left(settled):
    sql(f"DELETE FROM {CHUNK}")
    sql(f"DELETE FROM {EVENT} WHERE kind NOT IN ('status', 'settled', 'finalized', 'ended')")
    sql(f"UPDATE {SESSION} SET trimmed_at = now()")

    assert verify(settled.pk).is_sound
    sql(f"UPDATE {TRANSACTION} SET fees_cents = 171 WHERE number = 1")
    assert reds(verify(settled.pk)) == ["fills", "fees", "positions", "roll_up"]


def test_the_command_says_sound_or_names_the_row_and_exits_1(settled):
    out = StringIO()
    call_command("verify", "--all", stdout=out)
    sql(f"UPDATE {TRADE} SET profit_cents = 0 WHERE number = 1")
    broken = StringIO()
    with pytest.raises(CommandError, match="1 of 1 sessions do not add up") as refusal:
        call_command("verify", str(settled.pk), stdout=broken)

    assert out.getvalue() == f"{settled.pk}  sound\n"
    assert refusal.value.returncode == 1
    assert "bot_sessions_trade" in broken.getvalue()


@pytest.mark.parametrize("day", ["2026-05-07", "2026-05-08"])
def test_the_command_takes_a_day_and_speaks_json(settled, day):
    out = StringIO()

    call_command("verify", "--date", day, "--json", stdout=out)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    wanted = [str(settled.pk)] if day == "2026-05-07" else []
    assert [line["session_id"] for line in lines if line["is_sound"]] == wanted


def test_the_command_does_not_know_every_session(settled):
    with pytest.raises(CommandError, match="there is no session"):
        call_command("verify", "00000000-0000-4000-8000-000000000000")


def test_the_endpoint_answers_as_the_recount_does(settled, client_for):
    sql(f"UPDATE {TRADE} SET profit_cents = 0 WHERE number = 1")
    client = client_for(settled.bot.owner)

    answer = client.get(f"/api/bots/{settled.bot_id}/sessions/{settled.pk}/integrity")

    assert answer.status_code == 200
    assert answer.json() == verify(settled.pk).as_json()
    assert not answer.json()["is_sound"]


def test_a_running_session_is_sound_after_every_commit(alice, make_bot, open_market, runner):
    session = services.start_session(user=alice, bot_id=make_bot(recount.TALKATIVE).pk)
    driver = runner()
    broken = {}

    for seq in range(2, 45):
        market.publish([market.tick(seq)])
        drive(driver)
        broken[seq] = reds(verify(session.pk))

    assert Order.objects.filter(status="filled").count() == 2
    assert {seq: names for seq, names in broken.items() if names} == {}


def test_a_corrected_settlement_is_sound_with_its_adjustment(settled):
    MarketDay.objects.update(settlement_cents=593_000)
    SettlementCorrection.objects.create(
        trading_date=settled.trading_date,
        old_cents=593_500,
        new_cents=593_000,
        reason="the exchange said so",
        entered_by="operator",
        entered_at=timezone.now(),
    )
    before_it_is_booked = reds(verify(settled.pk))

    apply_corrections(now=timezone.now())

    # Two short 5940 puts are 5.00 more in the money.
    assert settled.adjustments.get().amount_cents == -100_000
    assert (before_it_is_booked, reds(verify(settled.pk))) == ([], [])
    sql("UPDATE bots_bot SET cash_balance_cents = cash_balance_cents + 1")
    assert reds(verify(settled.pk)) == ["carry"]


def test_an_applied_correction_without_its_adjustment_is_seen(settled):
    MarketDay.objects.update(settlement_cents=593_000)
    SettlementCorrection.objects.create(
        trading_date=settled.trading_date,
        old_cents=593_500,
        new_cents=593_000,
        reason="the exchange said so",
        entered_by="operator",
        entered_at=timezone.now(),
        applied_at=timezone.now(),
    )

    assert reds(verify(settled.pk)) == ["settlement"]


def test_the_tape_stands_in_for_a_log_that_is_gone(settled, tmp_path):
    recorder.pack(MarketDay.objects.get(), tmp_path, lambda: True)
    sql("TRUNCATE marketdata_tick")
    sql("DROP TABLE marketdata_tick_20260507")

    assert verify(settled.pk).is_sound
    corrupt_line(60, "net_liquidation_value")
    assert reds(verify(settled.pk)) == ["nlv", "profit", "roll_up"]
