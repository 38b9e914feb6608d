"""One simulated world: a market, two runners and a client on one PostgreSQL, without waiting.

Real are the database, the recorder's gate and log, the runners with everything below them, the
services a client calls and the engine. Made up are time, the feed, the programs and the harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.db import Error as DatabaseError
from django.db import IntegrityError, connection
from django.db.backends.signals import connection_created

from bots.models import Bot
from common import errors, wakeups
from common.times import to_ms
from marketdata import queries as market
from marketdata import services as market_services
from marketdata.models import MarketDay
from marketdata.validate import Validator
from sessions import commit, hints, services
from sessions import runner as runner_module
from sessions.hosted import HostedSession
from sessions.models import BotSession
from sessions.registration import Registrar
from sessions.runner import Runner
from tests.simulator.estate import empty, make_bots
from tests.simulator.harm import Harm, short_tempered
from tests.simulator.programs import Programs
from tests.simulator.scheduler import Killed, Scheduler, Time, listener_of
from tests.simulator.ticks import OPEN_AT, Feed

RUNNERS = ("runner a", "runner b")
NAMES = [*RUNNERS, "market", "client"]
HEALED_SECONDS = 150.0  # after the close nothing is harmed and everything must come to its end


class World:
    """Threads and connections are kept from day to day; `play` makes a new day of a seed."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(NAMES)
        self.harm = Harm(self.scheduler, self._database_clock)
        self.programs = Programs(self._think)
        self._clock_step = 0.0
        self._day_began = 0.0
        self.market_is_over = False
        self.walls_hit: list[str] = []  # unique keys that stopped what the fence let through

    def close(self) -> None:
        self.scheduler.close()

    def play(self, seed: int, after_commit: Callable[[], None]) -> None:
        """Run the day of `seed` to its end; `after_commit` is called whenever rows changed."""
        self._prepare(seed)

        def after_step() -> None:
            if self.harm.has_committed:
                self.harm.has_committed = False
                after_commit()

        with self._in_its_own_time():
            self.scheduler.run(
                {
                    "market": self._market,
                    "client": self._client,
                    **dict.fromkeys(RUNNERS, self._runner),
                },
                until=self.seconds + HEALED_SECONDS,
                after_step=after_step,
                is_over=self._is_settled,
            )

    # The day -------------------------------------------------------------------------------------

    def _prepare(self, seed: int) -> None:
        self.rng = Random(f"world {seed}")
        self.market_is_over, self.walls_hit = False, []
        # Leases of the day before are long gone, and PostgreSQL's clock is its own.
        self._day_began, self._clock_step = OPEN_AT.timestamp(), 0.0
        self.seconds = self.rng.randrange(100, 221)
        self.pace = self.rng.choice([3.0, 5.0, 8.0])  # market seconds per second of the world
        self.feed = Feed(seed, self.seconds)
        empty()
        self.bots = make_bots(self.rng, seconds=self.seconds)
        self._ids = Random(f"ids {seed}")
        self.harm.begin(self.rng.randrange(2**32))

    # The processes -------------------------------------------------------------------------------

    def _runner(self) -> None:
        """A worker: whenever it dies it is started again, soon or late."""
        while True:
            name = self._begin_process()
            sigterm_at = self.scheduler.now + self.rng.expovariate(1 / 40)
            runner = Runner(
                registrar=Registrar(self.programs),  # type: ignore[arg-type]  # stands in for it
                stop_requested=partial(self._is_asked_to_stop, sigterm_at),
                capacity=self.rng.choice([2, 100]),
                idle_seconds=1e9,
            )
            try:
                runner.run()
            except Killed:
                self._check_alive(name)
            self.scheduler.pause(self.rng.choice([0.0, 0.5, 3.0]))

    def _is_asked_to_stop(self, sigterm_at: float) -> bool:
        return self.harm.is_on and self.scheduler.now > sigterm_at

    def _market(self) -> None:
        """The market's process: goes on where the log ends, whatever befell it."""
        while True:
            name = self._begin_process(patience=3.0)
            try:
                self._publish_day()
                return
            except Killed:
                self._check_alive(name)
            except DatabaseError:
                connection.close()
            self.scheduler.pause(self.rng.choice([0.1, 2.0]))

    def _publish_day(self) -> None:
        feed = self.feed
        day = market_services.announce_day(feed=feed, now=self._wall())
        if day.last_seq == 0:
            market_services.keep_time(
                day=day, market_at=feed.open_at - timedelta(seconds=5), speed=self.pace
            )
            self.scheduler.pause(self.rng.choice([0.0, 1.0]))
        validator = Validator(
            open_ms=to_ms(day.open_at),
            close_ms=to_ms(day.close_at),
            last_seq=day.last_seq,
            last_at_ms=None if day.last_tick_at is None else to_ms(day.last_tick_at),
        )
        ahead = list(validator.clean(feed.ticks(0)))
        while ahead:
            batch, ahead = ahead[: (size := self.rng.choice([1, 4, 15, 30]))], ahead[size:]
            market_services.publish(
                day=day,
                ticks=batch,
                market_ms=batch[-1].at_ms,
                speed=self.pace,
                now=self._wall(),
            )
            self.scheduler.pause(len(batch) / self.pace)
        self._close_day(day)

    def _close_day(self, day: MarketDay) -> None:
        market_services.keep_time(day=day, market_at=day.close_at, speed=self.pace)
        late = self.rng.random() < 0.3  # the official value comes some time after the close
        official = self.feed.settlement()
        day = market_services.close_day(
            day=day, settlement=None if late else official, now=self._wall()
        )
        self.harm.is_on = False
        if day.settlement_cents is None:  # late, or this process died before it came
            self.scheduler.pause(self.rng.choice([0.5, 10.0]))
            MarketDay.objects.filter(pk=day.pk).update(
                settlement_cents=official[0], settlement_source=official[1]
            )
        self.market_is_over = True

    def _client(self) -> None:
        """Starts and schedules sessions and asks them to stop, at any time and more than once."""
        while not self.market_is_over:
            self._begin_process(patience=2.0)
            try:
                while not self.market_is_over:
                    self.scheduler.pause(self.rng.expovariate(self.pace / 25))
                    self._ask_for_something()
            except Killed:
                self._check_alive("client")
            except DatabaseError:
                connection.close()

    def _ask_for_something(self) -> None:
        bot = self.rng.choice(self.bots)
        session = BotSession.objects.filter(bot=bot).first()
        now = market.market_now()
        pick = self.rng.random()
        try:
            if session is None:
                self._start(bot, now)
            elif pick < 0.5:
                services.request_cancel_all(user=bot.owner, session=session, now=now.at)
            elif pick < 0.62:
                services.request_stop(
                    user=bot.owner, session=session, flatten=pick < 0.57, now=now.at
                )
        except errors.Refusal:
            return  # refused, as it should be

    def _start(self, bot: Bot, now: market.MarketNow) -> None:
        if now.phase == "pre_open" and now.day is not None:
            services.schedule_session(bot=bot, day=now.day, now=now.at)
        else:
            services.start_session(user=bot.owner, bot_id=bot.pk)

    def _begin_process(self, *, patience: float = 1.0) -> str:
        process = self.scheduler.current
        assert process is not None
        self.harm.attach()
        self.harm.plan(process.name, patience=patience)
        return process.name

    def _check_alive(self, name: str) -> None:
        """The world's end kills for good; anything else is a crash, and the process comes back."""
        if self.scheduler.processes[name].error is not None:
            raise Killed
        connection.close()

    # Time ----------------------------------------------------------------------------------------

    def _database_clock(self) -> float:
        return self._day_began + self.scheduler.now + self._clock_step

    def _wall(self) -> datetime:
        """A host's wall clock: anything within an hour. The database's steps by seconds."""
        if self.harm.is_on and self.rng.random() < 0.1:
            self._clock_step += self.rng.uniform(-4, 8)
        astray = self.rng.choice([0, 0, 0, -3600, 3600])
        return datetime.fromtimestamp(self._day_began + self.scheduler.now + astray, UTC)

    def _think(self, seconds: float) -> None:
        if self.scheduler.current is not None:
            self.scheduler.pause(seconds)

    def _is_settled(self) -> bool:
        if not self.market_is_over:
            return False
        return not BotSession.objects.unfinished().exists()

    @contextmanager
    def _in_its_own_time(self) -> Iterator[None]:
        ids = BotSession._meta.pk
        new_id = lambda: uuid.UUID(int=self._ids.getrandbits(128), version=4)  # noqa: E731
        connection_created.connect(short_tempered)
        with (
            mock.patch.object(runner_module, "time", Time(self.scheduler)),
            mock.patch.object(runner_module.wakeups, "Listener", listener_of(self.scheduler)),
            mock.patch.object(runner_module, "commit", self._commit),
            mock.patch.object(commit, "psycopg", SimpleNamespace(Cursor=self.harm.cursor())),
            mock.patch.object(commit.bulk, "insert", self.harm.around_copy(commit.bulk.insert)),
            mock.patch.object(wakeups, "publish", self._publish),
            mock.patch.object(hints, "hint_runners"),
            mock.patch.object(services, "shared_sandbox", return_value=self.programs),
            mock.patch.dict(vars(ids), {"_get_default": new_id}),
        ):
            try:
                yield
            finally:
                connection_created.disconnect(short_tempered)

    def _commit(self, sessions: Sequence[HostedSession], *, owner: uuid.UUID) -> Any:
        try:
            kept = commit.commit(sessions, owner=owner)
        except IntegrityError as error:
            self.walls_hit.append(str(error))
            raise
        self.harm.counts["fenced off"] += len(sessions) - len(kept)
        return kept

    def _publish(self, channel: str, message: str) -> None:
        """A wake-up; one in ten is lost."""
        if channel.startswith(("market:", "sessions:asked")) and self.rng.random() < 0.9:
            self.scheduler.wake(self.rng.choice([0.0, 0.01, 0.2]))
