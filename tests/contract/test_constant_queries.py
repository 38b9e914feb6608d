"""Lists take as many queries for fifty rows as for one."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.services import create_token
from bots.models import BalanceAdjustment, SettlementCorrection
from common.times import to_ms
from marketdata.models import MarketDay
from sessions import financials
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    FinancialChunk,
    Order,
    Position,
    SessionEvent,
    Transaction,
)
from simengine.step import Financials
from tests.contract.document import document, operations, resolved
from tests.factories import (
    TODAY,
    BotFactory,
    BotSessionFactory,
    StrategyFactory,
    StrategyLinkFactory,
)
from tests.sessions import market

pytestmark = pytest.mark.django_db

BELOW = "/bots/{bot_id}/sessions/{session_id}"
NUMBERS = count(1)  # of rows that are unique in their session


def row(session: BotSession, number: int) -> dict:
    return {"id": uuid4(), "session": session, "at": session.created_at, "tick_seq": number}


def add_ended_session(bot):
    BotSessionFactory(bot=bot, settled=True, trading_date=TODAY - timedelta(days=next(NUMBERS)))


def add_bot(session, number):
    """With a live session and one that has ended."""
    bot = BotFactory(owner=session.bot.owner)
    BotSessionFactory(bot=bot)
    add_ended_session(bot)


def add_session(session, number):
    add_ended_session(session.bot)


def add_link(session, number):
    strategy = StrategyFactory(program=f"times = []  # {number}\n")
    StrategyLinkFactory(owner=session.bot.owner, strategy=strategy)


def add_token(session, number):
    create_token(user=session.bot.owner)


def add_order(session, number):
    """With the transactions of two legs."""
    Order.objects.create(
        **row(session, number),
        number=number,
        kind="opening",
        type="limit",
        status="filled",
        legs=[],
        units=1,
        price_cents=-245,
    )
    for _ in range(2):
        add_transaction(session, next(NUMBERS), order_number=number)


def add_transaction(session, number, order_number=None):
    Transaction.objects.create(
        **row(session, number),
        number=number,
        order_number=order_number,
        instrument="SPXW  260507P05945000",
        type="sell to open",
        quantity=1,
        price_cents=24_500,
        value_cents=24_500,
        effect="credit",
        fees_cents=172,
    )


def add_position(session, number):
    Position.objects.create(
        **row(session, number),
        instrument=f"SPXW  260507P{5_000 + number:05d}000",
        quantity=-1,
        cost_basis_cents=-24_500,
    )


def add_decision(session, number):
    Decision.objects.create(**row(session, number), number=number, kind="log", message="so")


def add_event(session, number):
    SessionEvent.objects.create(**row(session, number), index=0, kind="logged")


def add_entry(session, number):
    Entry.objects.create(**row(session, number), number=number, outcome="filled")


def add_point(session, number):
    at_ms = to_ms(market.from_open(number))
    point = Financials(number, at_ms, *[0] * (len(financials.COLUMNS) - 2))
    FinancialChunk.objects.bulk_create([financials.chunk(session.pk, [point])])


def add_tick(session, number):
    market.publish([market.tick(MarketDay.objects.get().last_seq + 1)])


def add_adjustment(session, number):
    correction = SettlementCorrection.objects.create(
        trading_date=session.trading_date,
        old_cents=595_000,
        new_cents=595_000 + number,
        reason="republished",
        entered_by="operator",
        entered_at=session.created_at,
    )
    BalanceAdjustment.objects.create(
        bot=session.bot,
        session=session,
        carried_after=session,
        correction=correction,
        old_settlement_cents=correction.old_cents,
        new_settlement_cents=correction.new_cents,
        amount_cents=100,
        balance_before_cents=0,
        balance_after_cents=100,
        reason=correction.reason,
        made_by=correction.entered_by,
        made_at=correction.entered_at,
    )


# Where the rows of a list are in its answer, and what makes more of them.
LISTS = {
    "GET /bots": ("", add_bot),
    "GET /bots/{bot_id}": ("sessions", add_session),
    "GET /bots/{bot_id}/sessions": ("", add_session),
    "GET /bots/{bot_id}/summary": ("sparkline", add_session),
    "GET /bots/{bot_id}/adjustments": ("", add_adjustment),
    "GET /strategies": ("", add_link),
    "GET /auth/tokens": ("", add_token),
    f"GET {BELOW}/orders": ("", add_order),
    f"GET {BELOW}/transactions": ("", add_transaction),
    f"GET {BELOW}/positions": ("", add_position),
    f"GET {BELOW}/financials": ("", add_point),
    f"GET {BELOW}/decision-log": ("", add_decision),
    f"GET {BELOW}/events": ("", add_event),
    f"GET {BELOW}/entries": ("", add_entry),
    "GET /market-data/historical/{trading_date}": ("", add_tick),
}
# They grow with nothing of a user's: chosen by us, or the strikes of one tick.
OF_FIXED_LENGTH = {
    "GET /strategies/templates",
    "GET /strategies/form-schema",
    "GET /market-data/chain",
    "GET /ready",
    f"GET {BELOW}/integrity",
}


def has_a_list(line: str) -> bool:
    content = dict(operations())[line]["responses"]["200"].get("content", {})
    shape = content.get("application/json", {}).get("schema", {})
    fields = resolved(shape).get("properties", {}).values()
    return shape.get("type") == "array" or any(each.get("type") == "array" for each in fields)


def test_every_list_has_its_line():
    reads = [line for line, _ in operations() if line.startswith("GET ")]

    lists = {line for line in reads if has_a_list(line)}

    assert document()["openapi"] == "3.0.3"
    assert lists - OF_FIXED_LENGTH == set(LISTS)


@pytest.mark.parametrize("line", LISTS)
def test_a_list_takes_the_same_queries_however_long_it_is(line, alice, client_for, open_market):
    session = BotSessionFactory(bot=BotFactory(owner=alice))
    client = client_for(alice)
    where, add = LISTS[line]
    path = line.split()[1].format(
        bot_id=session.bot_id, session_id=session.pk, trading_date=market.DAY
    )

    def ask() -> tuple[int, int]:
        """(rows, queries)"""
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/api{path}")
        assert answer.status_code == 200, answer.content
        body = answer.json()
        return len(body[where] if where else body), len(queries)

    ask()  # the first use of a token is written down
    found = []
    for more in (1, 9, 40):
        for _ in range(more):
            add(session, next(NUMBERS))
        found.append(ask())

    lengths = [rows for rows, _ in found]
    assert (lengths[1] - lengths[0], lengths[2] - lengths[1]) == (9, 40)
    assert len({queries for _, queries in found}) == 1, found
