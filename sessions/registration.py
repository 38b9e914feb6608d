"""Registration: what a session freezes when it leaves `registering`, and how it enters memory.

Frozen are the bot's policy and carried balance, its owner's fees and slippage, the pinned program
and the engine's version; the session never looks at the bot again until it settles.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from marketdata import ticklog
from marketdata.models import MarketDay
from sessions import ownership
from sessions.hosted import HostedSession, NoStrategy
from sessions.lifecycle import Status
from sessions.models import BotSession, Position, SessionRequest
from sessions.rows import RowBuilder
from sessions.terms import terms_of
from simengine import ENGINE_VERSION
from simengine import state as phases
from simengine.market import Tick
from simengine.state import FAILED, SessionTerms
from simengine.strategy import Strategy
from strategies.runtime.program import InvalidProgram
from strategies.runtime.sandbox import Sandbox, SandboxUnavailable

if TYPE_CHECKING:
    from bots.models import Bot

log = logging.getLogger(__name__)

FROZEN = (
    "policy",
    "opening_balance_cents",
    "fee_schedule",
    "slippage_cents",
    "engine_version",
)
READ_AT_ONCE = 600
STATUS_OF_PHASE = {
    phases.WAITING: Status.WAITING_FOR_DATA,
    phases.CLOSING: Status.SETTLING,
}  # of a session without an end; in the other phases it runs


def freeze(session: BotSession, bot: Bot) -> None:
    """Copy what a session keeps from the bot and its owner (unsaved).

    Call it with the bot's row locked, so that no edit falls between two of the copies.
    """
    session.policy = bot.policy
    session.opening_balance_cents = bot.cash_balance_cents
    session.fee_schedule = {
        "open_cents": bot.owner.open_fee_cents,
        "close_cents": bot.owner.close_fee_cents,
        "exercise_cents": bot.owner.exercise_fee_cents,
    }
    session.slippage_cents = bot.owner.slippage_cents
    session.engine_version = ENGINE_VERSION


def worth_a_look(
    claimed: Mapping[uuid.UUID, date], days: Mapping[date, MarketDay], *, owner: uuid.UUID
) -> list[uuid.UUID]:
    """Those of `claimed` that may enter memory now: all of a day that opened; before that only who
    is asked for something. However many wait for the open, it is one query.
    """
    opened = {trading_date for trading_date, day in days.items() if day.opened_at is not None}
    early = set(claimed.values()) - opened
    if not early:
        return list(claimed)
    asked = SessionRequest.objects.filter(session=OuterRef("pk"), obeyed_seq=None)
    rows = BotSession.objects.unfinished().filter(owner=owner, trading_date__in=early)
    called = set(
        rows.filter(Exists(asked) | ~Q(status=Status.SCHEDULED)).values_list("pk", flat=True)
    )
    return [
        session_id
        for session_id, trading_date in claimed.items()
        if trading_date in opened or session_id in called
    ]


class Gone:
    """The row is somebody else's by now, or deleted."""


class Registrar:
    """Brings claimed sessions into a runner's memory. Programs run in `sandbox`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def host(
        self, session_id: uuid.UUID, *, owner: uuid.UUID, day: MarketDay | None
    ) -> HostedSession | Gone | None:
        """The session, ready to be stepped; None while it is not due; Gone if it is not ours."""
        row = (
            BotSession.objects.select_related("strategy").filter(pk=session_id, owner=owner).first()
        )
        if row is None:
            return Gone()
        if day is None:
            return None
        try:
            if row.policy is None and not self._register_scheduled(row, day):
                return None
            return self._load(row, day)
        except (DatabaseError, SandboxUnavailable):
            raise
        except Exception:  # a bug of ours on one row must not end the runner of all the others
            log.exception("a session cannot be loaded", extra={"session": str(row.pk)})
            ownership.quarantine(row)
            return Gone()

    def fail_after_crash(self, hosted: HostedSession, day: MarketDay) -> bool:
        """Our own code failed on this session: take the last committed state and end it.

        False where it fails even while ending: then it is out of everybody's hands, for operators.
        """
        if hosted.state.end == FAILED or hosted.state.is_ended:
            ownership.quarantine(hosted.row)
            return False
        row = BotSession.objects.get(pk=hosted.row.pk)
        row.epoch = hosted.row.epoch
        again = _hosted(row, hosted.terms, hosted.strategy)
        _catch_up(again, day)
        again.fail("engine_error: the engine could not process a tick; the operators know")
        hosted.__dict__.update(again.__dict__)
        return True

    def _register_scheduled(self, row: BotSession, day: MarketDay) -> bool:
        """At the open (or to be stopped before it): freeze, and move to `registering`."""
        is_asked_to_stop = SessionRequest.objects.filter(session=row, obeyed_seq=None).exists()
        if day.opened_at is None and not is_asked_to_stop:
            return False
        with transaction.atomic():
            bots = apps.get_model("bots", "Bot").objects
            bot = bots.select_for_update(of=("self",)).select_related("owner").get(pk=row.bot_id)
            if row.bot.sessions.unfinished().exclude(pk=row.pk).exists():
                return False  # the day before has no settlement yet, so there is no balance
            freeze(row, bot)
            frozen = {name: getattr(row, name) for name in FROZEN}
            mine = BotSession.objects.filter(pk=row.pk, epoch=row.epoch)
            if mine.update(**frozen) != 1:
                return False
            # A session asked to stop before the open is `killing` already and stays it.
            if mine.filter(status=Status.SCHEDULED).update(status=Status.REGISTERING):
                row.status = Status.REGISTERING
                write_status(row, Status.REGISTERING, at=day.open_at)
        return True

    def _load(self, row: BotSession, day: MarketDay) -> HostedSession | None:
        """A suspect's load is written down first: its program may be what kills its owners."""
        if row.poison_count != ownership.SUSPECT_AFTER_OWNERS:
            return self._loaded(row, day)
        ownership.note_deaths(row, ownership.POISONED_AFTER_OWNERS)
        hosted = self._loaded(row, day)
        ownership.note_deaths(row, ownership.SUSPECT_AFTER_OWNERS)
        return hosted

    def _loaded(self, row: BotSession, day: MarketDay) -> HostedSession | None:
        terms = terms_of(row, open_at=day.open_at, close_at=day.close_at)
        program = row.strategy.program
        failure = ""
        strategy: Strategy
        if row.poison_count >= ownership.POISONED_AFTER_OWNERS:
            failure = f"poison_tick: {row.poison_count} owners died after tick {row.last_tick_seq}"
            strategy = NoStrategy.instead_of(program)
        else:
            try:
                strategy = self._sandbox.strategy(program)
            except InvalidProgram as exc:
                failure = f"strategy_cannot_load: {exc}"
                strategy = NoStrategy.instead_of(program)
            except SandboxUnavailable:
                log.warning("no sandbox; the session waits", extra={"session": str(row.pk)})
                return None
        hosted = _hosted(row, terms, strategy)
        _catch_up(hosted, day)
        if failure:
            hosted.fail(failure)
        hosted.announce(at=hosted.last_tick_at or row.created_at)
        return hosted


def write_status(session: BotSession, status: Status, *, at: datetime) -> None:
    """Write down that a session got a status outside a tick."""
    builder = RowBuilder(session.pk, session.trading_date)
    builder.status_row(status, tick_seq=session.last_tick_seq, at=at, reason="").save(
        force_insert=True
    )


def _hosted(row: BotSession, terms: SessionTerms, strategy: Strategy) -> HostedSession:
    """As its last owner had it in memory: there a session is `killing` once the stop is obeyed, in
    its row from the moment that somebody asks for it.
    """
    hosted = HostedSession(row, terms, strategy, held=_instruments(row))
    is_only_asked = row.state is not None and hosted.state.end != phases.KILLED
    if hosted.status is Status.KILLING and is_only_asked:
        hosted.status = STATUS_OF_PHASE.get(hosted.state.phase, Status.RUNNING)
    return hosted


def _instruments(row: BotSession) -> list[str]:
    return list(Position.objects.filter(session=row).values_list("instrument", flat=True))


def _catch_up(hosted: HostedSession, day: MarketDay) -> None:
    """Step through the committed ticks after the snapshot: at most, re-pricing happened on them."""
    row = hosted.row
    if row.state is not None and row.state_seq < row.last_tick_seq:
        hosted.replay(_ticks(day, row.state_seq, row.last_tick_seq))


def _ticks(day: MarketDay, after_seq: int, last_seq: int) -> Iterator[Tick]:
    while after_seq < last_seq:
        limit = min(READ_AT_ONCE, last_seq - after_seq)
        ticks = ticklog.read(day.trading_date, after_seq, limit)
        yield from ticks
        after_seq += limit
