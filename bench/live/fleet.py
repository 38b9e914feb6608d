"""The sessions of a measurement: users, their strategies, bots, and a session for each bot.

A third holds an iron condor, a third has two resting orders that follow the mid and never get
there, a third waits for a later time of the day. Rows are what the services would write, in bulk:
ten thousand starts by the API would take longer than the measurement.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from bots.models import Bot
from common.times import NEW_YORK
from marketdata import queries
from sessions import hints
from sessions.lifecycle import Status
from sessions.models import BotSession, SessionEvent
from sessions.registration import freeze
from sessions.rows import RowBuilder
from simengine.policy import merged
from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.models import Strategy, StrategyLink
from strategies.runtime.program import source_hash

HOLDING, WORKING, IDLE = "holding", "working", "idle"
KINDS = (HOLDING, WORKING, IDLE)
USERS = 30
AT_ONCE = 500
CAPITAL_CENTS = 10_000_000
DELTAS = (25, 24, 23, 22, 21, 20, 19, 18)  # hundredths, of the sold legs of one package each
WING_POINTS = 10  # so that the narrowest chain measured, 40 quotes, has every leg
# Patient enough to rest for the whole measurement, close enough to be moved with every mid.
POLICY: dict[str, Any] = {
    "max_open_positions": 100,
    "max_open_orders": 50,
    "max_daily_loss_pct": "0.5000",
    "reprice": {"opening": {"nudge_after_seconds": 600, "max_concession": "10.00"}},
}
RESTING = '''"""Asks {above_cents} cents more than the mid for {count} pairs of spreads."""

times = ["{clock}"]


def rest(ctx, legs):
    package = ctx.select(legs)
    if not package.found:
        return ctx.skip(package.reason)
    ctx.open(package, limit=(package.credit_cents + {above_cents}) / 100)


def at(ctx, time):
    for delta in [{deltas}]:
        rest(ctx, [sell("put", delta=delta), buy("put", offset=-{wing}, leg=0)])
        rest(ctx, [sell("call", delta=delta), buy("call", offset={wing}, leg=0)])
'''


@dataclass(frozen=True)
class Wanted:
    """`size` is how many packages a holding, how many pairs a working session has."""

    sessions: int
    kinds: Sequence[str] = KINDS
    size: int = 1


def seed(wanted: Wanted, *, speed: float) -> datetime:
    """Make the sessions while the market is open. Returns the market time at which all have traded.

    Entries are spread over the users, so far apart that two cores keep up with them.
    """
    now = queries.market_now().at
    first = now + timedelta(seconds=speed * (12 + wanted.sessions / 150))
    apart = timedelta(seconds=speed * max(0.2, wanted.sessions / 5_000))
    links = list(_links(wanted, first, apart))
    policy = merged({}, POLICY)
    made = 0
    while made < wanted.sessions:
        count = min(AT_ONCE, wanted.sessions - made)
        numbers = range(made, made + count)
        _insert([_bot(links[number % len(links)], number, policy) for number in numbers])
        made += count
    for _ in range(20):
        hints.hint_runners()
    return first + apart * USERS


def _links(wanted: Wanted, first: datetime, apart: timedelta) -> Iterator[StrategyLink]:
    """Each user's strategies, one of each kind wanted; the first user's come first."""
    stamp = time.time_ns()
    for number in range(USERS):
        user = User(email=f"bench-{stamp}-{number}@example.com")
        user.set_unusable_password()
        user.save()
        clock = f"{(first + apart * number).astimezone(NEW_YORK):%H:%M:%S}"
        for kind in wanted.kinds:
            program = program_of(kind, clock, wanted.size, number)
            strategy, _ = Strategy.objects.get_or_create(
                source_hash=source_hash(program), defaults={"program": program}
            )
            yield StrategyLink.objects.create(
                owner=user, strategy=strategy, name=kind, kind=StrategyLink.Kind.PROGRAM
            )


def program_of(kind: str, clock: str, size: int, number: int) -> str:
    """What one user runs: forms for condors and for waiting, a program of his own for resting."""
    deltas = [delta / 100 for delta in DELTAS[:size]]
    if kind == WORKING:
        return RESTING.format(
            clock=clock,
            count=size,
            wing=WING_POINTS,
            above_cents=50 + 5 * (number % 5),
            deltas=", ".join(map(str, deltas)),
        )
    later = [f"12:{number:02}", f"15:{number:02}"]
    entered = [f"{clock}"] if kind == HOLDING else []
    config = {
        "legs": _condor(deltas[0]),
        "entry": {"times": [*entered, *later], "order": "market"},
        "exit": {"profit_target_pct": 95, "stop_loss_pct": 900, "time": "15:55"},
        "sizing": {"contracts": 1},
    }
    program = compile_form(normalise(config))
    if kind == HOLDING and size > 1:  # a form has one package; more of them are a clone, edited
        program += _more_condors(deltas[1:])
    return program


def _condor(delta: float) -> list[dict[str, Any]]:
    def sold(right: str) -> dict[str, Any]:
        strike = {"method": "delta", "value": delta}
        return {"direction": "sell", "type": right, "qty": 1, "strike": strike}

    def bought(right: str, points: int, leg: int) -> dict[str, Any]:
        strike = {"method": "offset", "value": points, "from": leg}
        return {"direction": "buy", "type": right, "qty": 1, "strike": strike}

    put, call = bought("put", -WING_POINTS, 0), bought("call", WING_POINTS, 2)
    return [sold("put"), put, sold("call"), call]


def _more_condors(deltas: Sequence[float]) -> str:
    lines = ["", "", "def on_start(ctx):", f"    for delta in [{', '.join(map(str, deltas))}]:"]
    lines += ['        legs = [sell("put", delta=delta)]']
    lines += [f'        legs += [buy("put", offset=-{WING_POINTS}, leg=0)]']
    lines += ['        legs += [sell("call", delta=delta)]']
    lines += [f'        legs += [buy("call", offset={WING_POINTS}, leg=2)]']
    lines += ['        ctx.open(legs, order="market", profit_target_pct=95, stop_loss_pct=900)', ""]
    return "\n".join(lines)


def _bot(link: StrategyLink, number: int, policy: dict[str, Any]) -> Bot:
    return Bot(
        owner=link.owner,
        name=f"{link.name} {number}",
        strategy=link.strategy,
        strategy_link=link,
        strategy_name=link.name,
        strategy_kind=link.kind,
        starting_capital_cents=CAPITAL_CENTS,
        cash_balance_cents=CAPITAL_CENTS,
        policy=policy,
        created_at=timezone.now(),
    )


def _insert(bots: list[Bot]) -> None:
    """The bots, and what sessions.services.start_session writes for each."""
    now = queries.market_now()
    assert now.day is not None, "no day is announced"
    sessions, events = [], []
    for bot in bots:
        session = BotSession(
            bot=bot,
            trading_date=now.day.trading_date,
            status=Status.REGISTERING,
            strategy=bot.strategy,
            strategy_name=bot.strategy_name,
            created_at=now.at,
            first_seq=now.day.last_seq + 1,
            last_tick_seq=now.day.last_seq,
            state_seq=now.day.last_seq,
        )
        freeze(session, bot)
        sessions.append(session)
        builder = RowBuilder(session.pk, session.trading_date)
        events.append(
            builder.status_row(
                Status.REGISTERING, tick_seq=session.last_tick_seq, at=now.at, reason=""
            )
        )
    Bot.objects.bulk_create(bots)
    BotSession.objects.bulk_create(sessions)
    SessionEvent.objects.bulk_create(events)
