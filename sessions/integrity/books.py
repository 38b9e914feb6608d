"""Everything a session wrote and what it was given, read at one moment.

One snapshot of the database, so a running session is seen as it stood after its last commit.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from marketdata.models import MarketDay
from sessions import financials
from sessions.integrity.ledger import Seconds, seconds_of
from sessions.integrity.market import Times, times_of
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    FinancialChunk,
    Order,
    Position,
    SessionEvent,
    SessionRequest,
    Trade,
    Transaction,
)


@dataclass(frozen=True, eq=False)
class Books:
    session: BotSession
    bot: Any
    earlier: BotSession | None  # the bot's settled session before this one
    later: BotSession | None  # the bot's next registered one
    adjustments: list[Any]  # booked on the bot to make good for this session's settlement
    corrections: list[Any]  # of the day's settlement value, in the order of their coming
    day: MarketDay | None
    times: Times
    orders: list[Order]
    trades: list[Trade]
    positions: list[Position]
    transactions: list[Transaction]
    decisions: list[Decision]
    events: list[SessionEvent]
    entries: list[Entry]
    chunks: list[FinancialChunk]
    stops_asked_at: set[datetime]

    @cached_property
    def line(self) -> financials.Matrix:
        """All seconds, in the order of their chunks, the row's tail the last of them."""
        return financials.joined(self.chunks)

    @cached_property
    def chunk_of_line(self) -> list[FinancialChunk]:
        """For each second of `line` the chunk that holds it."""
        return [chunk for chunk in self.chunks for _ in range(len(financials.unpack(chunk.points)))]

    @cached_property
    def events_by_kind(self) -> dict[str, list[SessionEvent]]:
        found: dict[str, list[SessionEvent]] = defaultdict(list)
        for event in self.events:
            found[event.kind].append(event)
        return found

    @cached_property
    def seconds(self) -> Seconds:
        """What `line` should say."""
        return seconds_of(self)

    @property
    def is_trimmed(self) -> bool:
        """Retention let go of the line and of most events (sessions.retention)."""
        return self.session.trimmed_at is not None

    @property
    def is_settled(self) -> bool:
        return self.session.settled_at is not None

    def fills(self) -> list[Transaction]:
        return [row for row in self.transactions if row.order_number is not None]

    def settlements(self) -> list[Transaction]:
        return [row for row in self.transactions if row.order_number is None]

    def column(self, name: str) -> financials.Matrix:
        """One column of the line, second by second."""
        return self.line[:, financials.COLUMNS.index(name)]


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads see one moment, unless a transaction is under way already."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def read(session_id: uuid.UUID) -> Books:
    """The books of a session. Raises BotSession.DoesNotExist."""
    session = BotSession.objects.select_related("bot").get(pk=session_id)
    siblings = BotSession.objects.filter(bot=session.bot_id).defer("state")
    before = siblings.settled().filter(
        trading_date__lt=session.trading_date, final_nlv_cents__isnull=False
    )
    after = siblings.filter(trading_date__gt=session.trading_date, policy__isnull=False)
    day = MarketDay.objects.filter(pk=session.trading_date).first()
    # By name: sessions know of bots only what foreign keys say.
    corrections = apps.get_model("bots", "SettlementCorrection")._default_manager
    return Books(
        session=session,
        bot=session.bot,
        earlier=before.order_by("-trading_date").first(),
        later=after.order_by("trading_date").first(),
        adjustments=list(session.adjustments.order_by("pk")),
        corrections=list(corrections.filter(trading_date=session.trading_date).order_by("pk")),
        day=day,
        times=times_of(day, session.last_tick_seq),
        orders=list(session.orders.order_by("number")),
        trades=list(session.trades.order_by("number")),
        positions=list(session.positions.order_by("instrument")),
        transactions=list(session.transactions.order_by("number")),
        decisions=list(session.decisions.order_by("number")),
        events=list(session.events.order_by("tick_seq", "index")),
        entries=list(session.entries.order_by("number")),
        chunks=[*session.financials.order_by("first_seq"), *financials.tail_chunks(session)],
        stops_asked_at=set(
            session.requests.exclude(kind=SessionRequest.Kind.CANCEL_ALL).values_list(
                "requested_at", flat=True
            )
        ),
    )
