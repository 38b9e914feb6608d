"""Very many rows at once, made inside the database from one that is there."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from alerts.models import Channel, Delivery
from bots.models import Bot
from common.models import JobRun
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    SessionRequest,
    Trade,
    Transaction,
)
from strategies.models import Strategy, StrategyLink
from tests.dashboard.conftest import make_order, make_trade
from tests.sessions import market


def copies(model: type[models.Model], count: int, **changed: str) -> None:
    """`count` copies of one row of `model`; a column in `changed` becomes that expression of the
    copied row `t` and the copy's number `n`, from 1 on. A numbered key counts on by itself.
    """
    columns = [field.column for field in model._meta.concrete_fields]
    if isinstance(model._meta.pk, models.AutoField) and model._meta.pk.column not in changed:
        columns.remove(model._meta.pk.column)
    values = [changed.get(name, f't."{name}"') for name in columns]
    quoted = ", ".join(f'"{name}"' for name in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)}"
            f" FROM (SELECT * FROM {table} LIMIT 1) t, generate_series(1, %s) n",
            [count],
        )


def numbered(kind: str, number: str = "n") -> str:
    """The id of row `number` of a kind: the same wherever it is written."""
    return f"md5('{kind}' || {number})::uuid"


def fill(session: BotSession, count: int, *, per_session: int = 1) -> None:
    """`count` rows of every ledger, so many a session, and the sessions, each with its own bot."""
    _one_of_each(session)
    parents = count // per_session
    program = "t.program || n"
    source_hash = f"encode(sha256(convert_to({program}, 'UTF8')), 'hex')"
    copies(User, parents, id=numbered("user"), email="'user' || n || '@example.org'")
    copies(Strategy, parents, program=program, source_hash=source_hash)
    copies(StrategyLink, parents, id=numbered("link"), created_at=_LATER)
    copies(Bot, parents, id=numbered("bot"), name="'copy ' || n", created_at=_LATER)
    own = {"id": numbered("session"), "bot_id": numbered("bot"), "created_at": _LATER}
    copies(BotSession, parents, **own)
    _fill_ledgers(count, parents)
    for model in (JobRun, LogEntry):
        copies(model, count)
    copies(Delivery, count, id=numbered("delivery"), event_id=numbered("event"))


def _fill_ledgers(count: int, parents: int) -> None:
    session = numbered("session", f"(mod(n, {parents}) + 1)")
    ordinal = f"n / {parents} + 1"
    for model in (Order, Transaction, Trade, Decision, Entry):
        copies(model, count, id=numbered(model.__name__), session_id=session, number=ordinal)
    copies(SessionEvent, count, id=numbered("event"), session_id=session, index=ordinal)
    instrument = f"({ordinal})::text"
    copies(Position, count, id=numbered("position"), session_id=session, instrument=instrument)
    copies(SessionRequest, count, session_id=session)


_LATER = "t.created_at + n * interval '1 second'"


def _one_of_each(session: BotSession) -> None:
    owner = session.bot.owner
    make_order(session)
    make_trade(session)
    at = {"id": uuid4(), "session": session, "at": market.OPEN_AT, "tick_seq": 1}
    Decision.objects.create(number=1, kind="log", message="looked", **at)
    Entry.objects.create(number=1, outcome="filled", **at)
    SessionEvent.objects.create(index=1, kind="filled", data={"order": 1}, **at)
    Position.objects.create(instrument=_PUT, quantity=0, **_NO_MONEY, **at)
    Transaction.objects.create(
        number=1,
        instrument=_PUT,
        type="sell to open",
        quantity=1,
        price_cents=26_000,
        value_cents=26_000,
        effect="credit",
        fees_cents=172,
        **at,
    )
    session.requests.create(kind="kill", requested_by=owner, requested_at=market.OPEN_AT)
    channel = Channel.objects.create(owner=owner, url="https://example.org", since=market.OPEN_AT)
    Delivery.objects.create(channel=channel, event_id=uuid4(), kind="filled", body={})
    JobRun.objects.create(name="x", started_at=timezone.now(), process="h:1")
    LogEntry.objects.create(user=owner, action_flag=CHANGE, object_repr="x", change_message="y")


_PUT = "SPXW  260507P05945000"
_NO_MONEY = {"cost_basis_cents": 0, "realized_cents": 0}
