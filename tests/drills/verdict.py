"""What became of a day: every row beside an undisturbed run, the log beside the tape, who wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from django.db import connection

from marketdata import codec, ticklog
from marketdata.models import MarketDay
from sessions.models import BotSession, SessionEvent, Transaction
from sessions.replay import CannotReplay, replay
from simengine.market import Tick
from strategies.runtime.sandbox import Sandbox
from tests.drills.watch import FOREIGN_WRITES, ROBBERIES

ENDS = {"completed", "killed"}
READ_AT_ONCE = 2_000


@dataclass
class Verdict:
    """Of one day: differences and what took too long, in words; the rest counts."""

    differences: list[str] = field(default_factory=list)
    delays: list[str] = field(default_factory=list)
    session_count: int = 0
    row_count: int = 0
    fill_count: int = 0
    takeovers: int = 0


def judge(day: MarketDay, expected: Sequence[Tick] | None, may_be_lost: set[int]) -> Verdict:
    """`expected` are the ticks the log must hold; a feed that was harmed may lack `may_be_lost`."""
    verdict = Verdict()
    logged = list(_logged(day))
    verdict.differences += _unsound(logged)
    if may_be_lost:
        verdict.differences += _not_of_the_tape(logged, expected or [], may_be_lost)
    else:
        verdict.differences += _not_the_tape(logged, expected or [])
    # The undisturbed run reads the tape itself wherever the harm may not have touched it.
    reference = logged if may_be_lost else list(expected or [])
    with Sandbox() as sandbox:
        for session in BotSession.objects.filter(trading_date=day.trading_date):
            verdict.differences += _judge_session(session, reference, sandbox, verdict)
    verdict.differences += _foreign_writes(day)
    return verdict


def _judge_session(
    session: BotSession, ticks: Sequence[Tick], sandbox: Sandbox, verdict: Verdict
) -> Iterable[str]:
    verdict.session_count += 1
    verdict.takeovers += session.takeovers
    verdict.fill_count += Transaction.objects.filter(session=session, order_number__gt=0).count()
    if session.settled_at is None or session.status not in ENDS:
        yield f"{session.pk}: {session.status} ({session.status_reason}), not settled as it should"
    for event in SessionEvent.objects.filter(session=session, kind="failed_by_runner"):
        yield f"{session.pk}: {event.data['reason']}"
    try:
        replayed = replay(session.pk, sandbox=sandbox, ticks=ticks)
    except CannotReplay as error:
        yield f"{session.pk}: {error}"
        return
    verdict.row_count += replayed.row_count
    yield from map(str, replayed.differences)
    cash_cents = session.bot.cash_balance_cents
    later = session.bot.sessions.filter(trading_date__gt=session.trading_date).exists()
    if not later and cash_cents != session.final_nlv_cents:
        ended = session.final_nlv_cents
        yield f"{session.pk}: the bot has {cash_cents} cents, the session ended at {ended}"


def _logged(day: MarketDay) -> Iterable[Tick]:
    after_seq = 0
    while ticks := ticklog.read(day.trading_date, after_seq, READ_AT_ONCE):
        yield from ticks
        after_seq = ticks[-1].seq


def _unsound(logged: Sequence[Tick]) -> Iterable[str]:
    """Sequence without a gap, market time strictly growing."""
    last_ms = 0
    for expected, tick in enumerate(logged, start=1):
        if tick.seq != expected:
            yield f"the log has tick {tick.seq} where {expected} should be"
            return
        if tick.at_ms <= last_ms:
            yield f"the time of tick {tick.seq} does not grow"
        last_ms = tick.at_ms


def _not_the_tape(logged: Sequence[Tick], tape: Sequence[Tick]) -> Iterable[str]:
    for tick, other in zip_longest(logged, tape):
        if tick is None or other is None or _content(tick) != _content(other):
            place = (tick or other).seq
            yield f"from tick {place} on the log is not the tape ({len(logged)} of {len(tape)})"
            return


def _not_of_the_tape(
    logged: Sequence[Tick], tape: Sequence[Tick], may_be_lost: set[int]
) -> Iterable[str]:
    """A feed that was harmed: nothing is in the log that was not recorded, and what the harm did
    not touch is there.
    """
    recorded = {tick.at_ms: tick for tick in tape}
    found = {tick.at_ms for tick in logged}
    for tick in logged:
        other = recorded.get(tick.at_ms)
        if other is None or _payload(tick) != _payload(other):
            yield f"tick {tick.seq} of the log was never recorded like this"
    lost = set(recorded) - found - may_be_lost
    if lost:
        yield f"{len(lost)} ticks that the harm did not touch are missing from the log"


def _content(tick: Tick) -> Any:
    return (tick.seq, tick.received_ms, _payload(tick))


def _payload(tick: Tick) -> bytes:
    return codec.plain(tick)


def _foreign_writes(day: MarketDay) -> Iterable[str]:
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_WRITES, [day.trading_date])
        (count,) = cursor.fetchone()
        cursor.execute(ROBBERIES, [day.trading_date])
        (robbed,) = cursor.fetchone()
    if count:
        yield f"{count} writes under an old epoch or out of sequence"
    if robbed:
        yield f"{robbed} sessions were taken from an owner whose lease was running"
