"""A session over a tape without database, broker or network: the very engine of a live session.

`simulate` builds the same rows that a live runner would commit and shows them in the API's shapes,
so its output can be compared with a live session's reads. The same inputs give the same bytes: ids
derive from the tape's digest, the program and the policy.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Model

from marketdata.tape.model import Tape
from sessions import financials, shapes
from sessions.hosted import HostedSession
from sessions.lifecycle import Status
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    Trade,
    Transaction,
)
from sessions.terms import terms_of
from simengine import ENGINE_VERSION
from simengine.fees import FeeSchedule
from simengine.policy import Policy
from simengine.state import CLOSING, FINAL, SessionState
from simengine.strategy import Strategy

NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a simulated session is frozen with. Money in cents."""

    source_hash: str
    strategy_name: str
    strategy: Strategy
    policy: Policy
    opening_balance_cents: int
    slippage_cents: int = 5
    fees: FeeSchedule = field(default_factory=FeeSchedule)


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """A finished session with every row it made."""

    session: BotSession
    state: SessionState
    rows: dict[type[Model], list[Any]]
    points: financials.Matrix
    settlement_source: str
    tape: Tape


def simulate(
    tape: Tape, setup: Setup, *, on_tick: Callable[[int], None] | None = None
) -> SimulatedDay:
    """Run one day from the first tick to settlement. `on_tick` gets the number of ticks done."""
    session = _session(tape, setup)
    terms = terms_of(session, open_at=tape.open_at, close_at=tape.close_at)
    hosted = HostedSession(session, terms, setup.strategy)
    hosted.announce(at=tape.open_at)
    for done, tick in enumerate(tape.ticks, start=1):
        hosted.step(tick, ())
        if on_tick is not None:
            on_tick(done)
        if hosted.is_final:
            break
    settlement_cents, settlement_source = tape.settlement
    if hosted.state.phase not in (CLOSING, FINAL):
        hosted.close_market(close_at=tape.close_at)
    if hosted.state.phase == CLOSING:
        hosted.settle(settlement_cents, close_at=tape.close_at)
    _roll_up(session, hosted)
    points = hosted.uncommitted.points
    return SimulatedDay(
        session=session,
        state=hosted.state,
        rows=_by_model(hosted),
        points=financials.unpack(financials.pack(points)) if points else financials.joined([]),
        settlement_source=settlement_source,
        tape=tape,
    )


def as_json(day: SimulatedDay) -> dict[str, Any]:
    """The document of tape.md, in the shapes of contract.md section 5."""
    rows = day.rows
    marks = {
        position.contract.symbol(day.session.trading_date): (
            position.mark_half_cents,
            position.delta_e4,
        )
        for position in day.state.portfolio.positions.values()
    }
    return {
        "session": shapes.session_object(day.session),
        "tape": {
            "date": day.tape.trading_date.isoformat(),
            "digest": day.tape.digest,
            "source": day.tape.source,
            "held_seconds": day.tape.held_seconds,
            "settlement_source": day.settlement_source,
        },
        "engine_version": ENGINE_VERSION,
        "orders": shapes.order_objects(rows[Order], rows[Transaction]),
        "positions": [
            shapes.position_object(position, *marks[position.instrument])
            for position in sorted(rows[Position], key=lambda row: row.instrument)
        ],
        "transactions": [shapes.transaction_object(row) for row in rows[Transaction]],
        "decision_log": [shapes.decision_object(row) for row in rows[Decision]],
        "events": [shapes.event_object(row) for row in _in_order(rows[SessionEvent])],
        "financials": list(shapes.financial_objects(day.points)),
        "entries": [shapes.entry_object(row) for row in rows[Entry]],
    }


def _session(tape: Tape, setup: Setup) -> BotSession:
    policy = setup.policy.as_json()
    about = "\n".join(
        [
            tape.digest,
            setup.source_hash,
            repr(sorted(policy.items())),
            repr((setup.opening_balance_cents, setup.slippage_cents, setup.fees)),
        ]
    )
    session_id = uuid.uuid5(NAMESPACE, hashlib.sha256(about.encode()).hexdigest())
    return BotSession(
        id=session_id,
        bot_id=uuid.uuid5(NAMESPACE, setup.source_hash),
        trading_date=tape.trading_date,
        status=Status.REGISTERING,
        strategy_id=setup.source_hash,
        strategy_name=setup.strategy_name,
        policy=policy,
        opening_balance_cents=setup.opening_balance_cents,
        fee_schedule=asdict(setup.fees),
        slippage_cents=setup.slippage_cents,
        engine_version=ENGINE_VERSION,
        tape_digest=tape.digest,
        created_at=tape.open_at,
    )


def _roll_up(session: BotSession, hosted: HostedSession) -> None:
    final = hosted.uncommitted.finalized
    assert final is not None, "a settled session is final"
    for name, value in asdict(final).items():
        setattr(session, name, value)
    session.status = hosted.status
    session.settled_at = hosted.finalized_at
    session.last_tick_at = hosted.last_tick_at
    session.last_tick_seq = hosted.state.last_seq
    session.tick_count = hosted.state.tick_count
    session.error_count = hosted.state.error_count


def _by_model(hosted: HostedSession) -> dict[type[Model], list[Any]]:
    found: dict[type[Model], list[Any]] = {
        model: [] for model in (Order, Trade, Position, Transaction, Decision, SessionEvent, Entry)
    }
    for (model, _), row in hosted.uncommitted.rows.new.items():
        found[model].append(row)
    return found


def _in_order(events: list[SessionEvent]) -> Iterator[SessionEvent]:
    yield from sorted(events, key=lambda row: (row.tick_seq, row.index))
