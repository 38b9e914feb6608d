"""Play days and say how they went."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from sessions import commit
from sessions.models import BotSession, Order, SessionRequest
from tests import unfenced
from tests.simulator.checks import Broken, Watch, check_at_the_end
from tests.simulator.world import World


class Player:
    def __init__(self, world: World) -> None:
        self._world = world
        self.failed: dict[int, str] = {}
        self.counts: Counter[str] = Counter()

    def play(self, seed: int) -> bool:
        """One day and all its checks. False where one does not hold; `failed` has the words."""
        watch = Watch()
        try:
            self._world.play(seed, watch.look)
            check_at_the_end(self._world.programs)
            if self._world.walls_hit:
                raise Broken(f"past the fence, into a unique key: {self._world.walls_hit}")
        except Exception as error:
            self.failed[seed] = f"{error!r}\n{traceback.format_exc()}"
        self._count(watch)
        return seed not in self.failed

    def _count(self, watch: Watch) -> None:
        self.counts.update(self._world.harm.counts)
        self.counts["days"] += 1
        self.counts["looks after a commit"] += watch.looks
        rows = BotSession.objects.values_list("status", "takeovers", "tick_count")
        for status, takeovers, ticks in rows:
            self.counts.update({"sessions": 1, status: 1, "takeovers": takeovers, "ticks": ticks})
        self.counts["fills"] += Order.objects.filter(status="filled").count()
        self.counts["requests"] += SessionRequest.objects.count()

    def told(self, seed: int) -> str:
        return f"{seed}  {self.failed.get(seed, 'sound')}"

    def summary(self, took_seconds: float) -> str:
        days = self.counts["days"]
        lines = [f"{days} days in {took_seconds:.1f} s, {len(self.failed)} failed"]
        lines += [f"  {name}: {count}" for name, count in sorted(self.counts.items())]
        for seed, words in self.failed.items():
            lines.append(f"FAILED: python -m tests.simulator --seed {seed}\n{words}")
        return "\n".join(lines)


@contextmanager
def worlds(*, fenced: bool = True) -> Iterator[Player]:
    """A player of days. Without the fence every commit is taken for the owner's."""
    changes = {} if fenced else unfenced.statements()
    world = World()
    logging.disable(logging.CRITICAL)  # of what is done here, what is logged is no news
    try:
        with mock.patch.dict(vars(commit), changes):
            yield Player(world)
    finally:
        logging.disable(logging.NOTSET)
        world.close()


@contextmanager
def own_database() -> Iterator[None]:
    """A test database beside the one of the settings."""
    created = setup_databases(verbosity=0, interactive=False, keepdb=False)
    try:
        yield
    finally:
        connection.close()
        teardown_databases(created, verbosity=0)
