"""One short day in three ways: simulated, live, and live with runners that die.

The tapes are hand-made: two minutes around the entry at 10:00, one around the exit at 15:55, the
closing tick. Between them the feed is silent, which costs two errors of a budget of five. Prices
are a normal model's on a nickel grid, 0.10 wide.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from rest_framework.test import APIClient

from accounts.models import User
from common.times import to_ms
from marketdata.tape.model import OFFICIAL, Tape, digest_of
from sessions import services
from sessions.models import BotSession
from sessions.registration import Registrar
from sessions.runner import Runner
from sessions.simulate import Setup, as_json, simulate
from simengine.market import Tick, rows_of
from simengine.policy import Policy
from strategies.models import Strategy
from strategies.runtime.live import Limits
from strategies.runtime.program import source_hash
from strategies.runtime.sandbox import Sandbox
from tests.factories import BotFactory, StrategyLinkFactory
from tests.sessions import market
from tests.sessions.conftest import drive

STRIKES = list(range(580_000, 610_001, 500))
ROWS = rows_of(STRIKES)
SECONDS = [*range(1790, 1960), *range(23_090, 23_150), 23_400]
READS = (
    *("orders", "positions", "transactions", "financials"),
    *("decision-log", "events", "entries"),
)
CAPITAL_CENTS = 2_500_000


@dataclass(frozen=True, slots=True)
class Day:
    """`spot(second)` in points and `sigma(second)`, the points the index may still move."""

    spot: Callable[[int], float]
    sigma: Callable[[int], float]
    settlement_cents: int

    def tape(self) -> Tape:
        ticks = [self._tick(seq, second) for seq, second in enumerate(SECONDS, start=1)]
        return Tape(
            trading_date=market.DAY,
            open_at=market.OPEN_AT,
            close_at=market.CLOSE_AT,
            ticks=ticks,
            settlement_cents=self.settlement_cents,
            settlement_source=OFFICIAL,
            source="made for a test",
            held_seconds=0,
            digest=digest_of(market.DAY, self.settlement_cents, 0, ticks),
        )

    def _tick(self, seq: int, second: int) -> Tick:
        spot, sigma = self.spot(second), self.sigma(second)
        calls = [_quote(spot - strike / 100, sigma) for strike in STRIKES]
        puts = [_quote(strike / 100 - spot, sigma) for strike in STRIKES]
        at_ms = to_ms(market.OPEN_AT) + 1000 * second
        return Tick(
            seq=seq,
            at_ms=at_ms,
            received_ms=at_ms,
            spot_cents=round(spot * 100),
            vix_hundredths=1620,
            expected_move_cents=round(sigma * 80),
            strikes_cents=STRIKES,
            call_bid_cents=[bid for bid, _, _ in calls],
            call_ask_cents=[ask for _, ask, _ in calls],
            call_delta_e4=[delta for _, _, delta in calls],
            put_bid_cents=[bid for bid, _, _ in puts],
            put_ask_cents=[ask for _, ask, _ in puts],
            put_delta_e4=[delta for _, _, delta in puts],
            row_of_strike=ROWS,
        )


def _quote(points_in_the_money: float, sigma: float) -> tuple[int, int, int]:
    """Bid, ask and delta of a normal model."""
    distance = points_in_the_money / sigma
    below = (1 + math.erf(distance / math.sqrt(2))) / 2
    density = math.exp(-distance * distance / 2) / math.sqrt(2 * math.pi)
    mid_cents = 5 * round(20 * (points_in_the_money * below + sigma * density))
    return max(0, mid_cents - 5), mid_cents + 5, round(below * 10_000)


def patient_sandbox() -> Sandbox:
    """On a busy machine a call may take long; a time-out would be a difference."""
    return Sandbox(limits=Limits(call_seconds=10, request_seconds=30))


def simulated(tape: Tape, program: str, sandbox: Sandbox) -> dict[str, Any]:
    """The document that `simulate` writes."""
    setup = Setup(
        source_hash=source_hash(program),
        strategy_name="parity",
        strategy=sandbox.strategy(program),
        policy=Policy(),
        opening_balance_cents=CAPITAL_CENTS,
    )
    return as_json(simulate(tape, setup))


class Live:
    """Sessions of many programs on one tick log, with the ids that `simulate` gave them."""

    def __init__(self, user: User, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
        self._user = user
        self._tape = tape
        self._monkeypatch = monkeypatch
        self._published = 0
        market.set_clock(market.OPEN_AT, market.announce())

    def start(self, program: str, session: dict[str, Any]) -> None:
        """Start the session of a bot that runs `program`, named as the simulated `session`."""
        strategy, _ = Strategy.objects.get_or_create(
            source_hash=source_hash(program), defaults={"program": program}
        )
        link = StrategyLinkFactory(owner=self._user, strategy=strategy, name="parity")
        bot = BotFactory(
            id=uuid.UUID(session["bot_id"]),
            owner=self._user,
            strategy_link=link,
            starting_capital_cents=CAPITAL_CENTS,
        )
        with self._monkeypatch.context() as patch:
            key = BotSession._meta.get_field("id")
            patch.setattr(key, "_get_default", lambda: uuid.UUID(session["session_id"]))
            services.start_session(user=self._user, bot_id=bot.pk)

    def publish(self, count: int) -> bool:
        """The next `count` ticks of the tape; False at its end."""
        following = self._tape.ticks[self._published : self._published + count]
        if following:
            market.publish(following)
        self._published += len(following)
        return bool(following)

    def close(self) -> None:
        market.close(settlement_cents=self._tape.settlement_cents)

    def read(self, client: APIClient, session: dict[str, Any]) -> dict[str, Any]:
        """What the API tells of a session, under the names of the simulated document."""
        path = f"/api/bots/{session['bot_id']}/sessions/{session['session_id']}"
        read = {name.replace("-", "_"): client.get(f"{path}/{name}").json() for name in READS}
        return {"session": client.get(path).json(), **read}


def runner_of(sandbox: Sandbox) -> Runner:
    return Runner(registrar=Registrar(sandbox), stop_requested=lambda: False, capacity=100)


def run_undisturbed(live: Live, chunks: Iterator[int]) -> None:
    """One runner from the start to the settlement; `chunks` are how many ticks it finds at once."""
    with patient_sandbox() as sandbox:
        runner = runner_of(sandbox)
        drive(runner, turns=1000)
        while live.publish(next(chunks)):
            drive(runner, turns=1000)
        live.close()
        drive(runner, turns=1000)


def run_with_deaths(live: Live, chunks: Iterator[int], *, loses_work: Sequence[int]) -> int:
    """A runner dies after every chunk and another takes over; how many lived.

    In the chunks of `loses_work` it has stepped its sessions further than it committed.
    """
    lives = 0
    while live.publish(next(chunks)):
        _one_life(forgets=lives in loses_work)
        lives += 1
    live.close()
    _one_life(forgets=False)
    return lives + 1


def _one_life(*, forgets: bool) -> None:
    with patient_sandbox() as sandbox:
        runner = runner_of(sandbox)
        if forgets:
            _step_without_committing(runner)
        else:
            drive(runner, turns=1000)
    BotSession.objects.update(lease_until=F("lease_until") - timedelta(minutes=1))


def _step_without_committing(runner: Runner) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sessions.runner.commit", _die)
        with pytest.raises(SystemExit):
            drive(runner, turns=1000)


def _die(*_: object, **__: object) -> None:
    raise SystemExit
