"""What quiet sessions notice of programs that misbehave: `python -m bench.neighbours`.

One runner hosts 50 quiet sessions and the bad ones; the market ticks once a second. Printed is the
time from a tick's append to the commit of a quiet session's step, over all sessions and ticks, in
milliseconds. Needs DATABASE_URL and REDIS_URL; works in a database of its own, made and dropped.
"""

from __future__ import annotations

import os
import platform
import statistics
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import django
from django.conf import settings
from django.db import connection

from bench.engine import processor

QUIET = 50
WARM_UP_TICKS = 3
TICKS = 15
PACE_SECONDS = 1.0
DATABASE = "bench_neighbours"

BAD_FROM = "def on_tick(ctx):\n    bad = ctx.seconds_since_open >= 6\n"  # well, while it warms up
SPIN = f"{BAD_FROM}    while bad:\n        pass\n"
HANG = f"import math\n{BAD_FROM}    if bad:\n        math.gcd(3**400000, 7**400000)\n"
MEMORY = f"{BAD_FROM}    hoard = []\n    while bad:\n        hoard.append('x' * 10000)\n"
RECURSION = f"{BAD_FROM}    if bad:\n        on_tick(ctx)\n"
FLOOD = f"""{BAD_FROM}    legs = [sell("put", delta=0.3), buy("put", offset=-25, leg=0)]
    package = ctx.select(legs)
    for number in range(100 if bad else 0):
        ctx.open(package, limit=20.00)
"""
COUNTER = "def on_tick(ctx):\n    ctx.state = (ctx.state or 0) + 1\n"
SITUATIONS: dict[str, list[str]] = {
    "nobody": [],
    "one loops for ever": [SPIN],
    "five loop for ever": [f"{SPIN}# {number}\n" for number in range(5)],
    "five loop where no limit of the interpreter looks": [f"{HANG}# {n}\n" for n in range(5)],
    "one bombs memory": [MEMORY],
    "one recurses without end": [RECURSION],
    "one asks for a hundred orders a second": [FLOOD],
    "one loses its worker at every call": [COUNTER],
}


class Watch:
    """When a tick was appended, and when each session's step over it was committed."""

    def __init__(self) -> None:
        self.appended_at: dict[int, float] = {}
        self.committed_at: dict[uuid.UUID, dict[int, float]] = defaultdict(dict)

    def commit(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def timed(hosted: Sequence[Any], **named: Any) -> Any:
            kept = real(hosted, **named)
            for each in kept:
                self.committed_at[each.row.pk][each.state.last_seq] = time.perf_counter()
            return kept

        return timed

    def latencies_ms(self, session_id: uuid.UUID) -> list[float]:
        """One for every tick; several may have been committed at once."""
        committed = sorted(self.committed_at[session_id].items())
        found = []
        for seq, appended_at in self.appended_at.items():
            at = next((at for last_seq, at in committed if last_seq >= seq), None)
            if at is None:
                raise SystemExit(f"tick {seq} was not committed")
            found.append((at - appended_at) * 1e3)
        return found


def measure(programs: list[str], *, ends_workers: bool) -> list[float]:
    # After setup: these import models.
    from sessions import services  # noqa: PLC0415
    from sessions.registration import Registrar  # noqa: PLC0415
    from sessions.runner import Runner  # noqa: PLC0415
    from strategies.runtime.sandbox import Sandbox  # noqa: PLC0415
    from tests.sessions import market  # noqa: PLC0415
    from tests.sessions.conftest import put_spread  # noqa: PLC0415

    day = market.announce()
    market.publish([market.tick(1)])
    user, quiet = None, []
    for program in [*programs, *[put_spread({"times": ["12:00"]})] * QUIET]:
        bot = make_bot(program, user)
        user = bot.owner
        market.set_clock(market.from_open(0), day)  # or the feed counts as silent after a while
        session = services.start_session(user=user, bot_id=bot.pk)
        if program not in programs:
            quiet.append(session.pk)
    watch, done = Watch(), threading.Event()
    with Sandbox() as sandbox, patch("sessions.runner.commit", watch.commit(commit_of())):
        runner = Runner(registrar=Registrar(sandbox), stop_requested=done.is_set, capacity=1000)
        publisher = threading.Thread(target=publish, args=(watch, market, done))
        while runner.turn():
            pass
        if ends_workers:
            end_workers_before_calls(sandbox)
        publisher.start()
        while not done.is_set() or runner.turn():
            if not runner.turn():
                time.sleep(0.001)
        publisher.join()
    return [ms for session_id in quiet for ms in watch.latencies_ms(session_id)]


def publish(watch: Watch, market: Any, done: threading.Event) -> None:
    began = time.perf_counter()
    for number in range(WARM_UP_TICKS + TICKS):
        time.sleep(max(0.0, began + number * PACE_SECONDS - time.perf_counter()))
        seq = number + 2
        market.publish([market.tick(seq)])
        if number >= WARM_UP_TICKS:
            watch.appended_at[seq] = time.perf_counter()
    time.sleep(2 * PACE_SECONDS)
    connection.close()
    done.set()


def make_bot(program: str, owner: Any) -> Any:
    from simengine.policy import Policy  # noqa: PLC0415
    from strategies.models import Strategy  # noqa: PLC0415
    from strategies.runtime.program import source_hash  # noqa: PLC0415
    from tests.factories import BotFactory, StrategyLinkFactory, UserFactory  # noqa: PLC0415

    owner = owner or UserFactory()
    strategy, _ = Strategy.objects.get_or_create(
        source_hash=source_hash(program), defaults={"program": program}
    )
    link = StrategyLinkFactory(owner=owner, strategy=strategy)
    # The worst case: no error ends a session.
    policy = {**Policy().as_json(), "auto_pause_on_error": False}
    return BotFactory(owner=owner, strategy_link=link, policy=policy)


def commit_of() -> Callable[..., Any]:
    from sessions.commit import commit  # noqa: PLC0415

    return commit


def end_workers_before_calls(sandbox: Any) -> None:
    """Every call finds its worker dead."""
    real = sandbox.answer

    def ending(*given: Any) -> Any:
        for pid in sandbox.worker_pids():
            os.kill(pid, 9)
        return real(*given)

    sandbox.answer = ending


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    settings.DATABASES["default"]["TEST"]["NAME"] = DATABASE
    print(f"Python {platform.python_version()}, {processor()}")
    print(f"{QUIET} quiet sessions, {TICKS} ticks, one a second; ms from append to commit\n")
    print(f"{'median':>8} {'p95':>8} {'worst':>8}  beside them")
    old_name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        for name, programs in SITUATIONS.items():
            clear()
            found = sorted(measure(programs, ends_workers=programs == [COUNTER]))
            p95 = found[int(len(found) * 0.95)]
            middle = statistics.median(found)
            print(f"{middle:8.1f} {p95:8.1f} {found[-1]:8.1f}  {name}", flush=True)
    finally:
        connection.creation.destroy_test_db(old_name, verbosity=0)


def clear() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    call_command("flush", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
