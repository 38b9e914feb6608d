"""What is done to the system. Each harm is done once and says how long the sessions took to go on.

Seconds count from the moment of the harm; where it takes something away on purpose (a database that
restarts, a frozen broker), the time it is away is part of them.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable

import psycopg
import redis

from config.celery import app
from launcher import service_user
from tests.drills import proxy
from tests.drills.act import Act
from tests.drills.bad_feed import places
from tests.drills.process import STEP_AHEAD, STEP_BACK
from tests.drills.system import PATIENCE_SECONDS, Started, freeze, thaw

FROZEN_BROKER_SECONDS = 3.0
DISK_LIMIT_BYTES = 1_000_000
DISK_FULL_SECONDS = 2.0
PARALLEL_HINTS = 20
BURST = 5


def kill_worker(act: Act, number: int) -> float:
    """kill -9 at a random moment; commits are slow, so that many of them are hit."""
    act.pause(0.0, 0.3)
    owner = act.owner()
    began = time.monotonic()
    owner.signal(signal.SIGKILL)
    act.system.restart(owner.name)
    took = act.recovered(began)
    # Two of four may be missing at a time, not three.
    act.system.wait_ready(each.name for each in act.system.workers() if each.name != owner.name)
    return took


def freeze_worker(act: Act, number: int) -> float:
    """SIGSTOP past the lease, takeover, SIGCONT: it wakes up and believes to own its sessions."""
    act.pause(0.0, 0.3)
    return _freeze(act, act.owner())


def freeze_in_transaction(act: Act, number: int) -> float:
    """The same between two statements of a transaction, with the rows locked."""
    act.pause(0.0, 0.3)
    return _freeze(act, _caught(act, "state = 'idle in transaction'"))


def freeze_in_copy(act: Act, number: int) -> float:
    """The same in the middle of a statement: its rows are on their way, and no time-out of
    PostgreSQL's is running.
    """
    act.pause(0.0, 0.3)
    return _freeze(act, _caught(act, "state = 'active' AND wait_event = 'ClientRead'"))


def _freeze(act: Act, owner: Started) -> float:
    began = time.monotonic()
    freeze(owner.process.pid)
    time.sleep(1.2 * act.system.lease_seconds)
    took = act.recovered(began)
    thaw(owner.process.pid)
    act.pause(0.2, 0.5)
    return max(took, act.recovered(time.monotonic()))


def _caught(act: Act, condition: str) -> Started:
    """The first worker whose connection is like that. Their commits are slow on purpose."""
    query = f"SELECT application_name FROM pg_stat_activity WHERE {condition}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(act.system.postgres.url, autocommit=True) as own:
        while time.monotonic() < deadline:
            found = {app for (app,) in own.execute(query)}
            for worker in act.system.workers():
                if worker.app in found:
                    return worker
            time.sleep(0.001)
    raise AssertionError(f"no worker has {condition}")


def repeat_hint(act: Act, number: int) -> float:
    """The sessions of one worker are set free, and the hint at them comes twenty times at once."""
    if "session-threads" not in act.system.running:
        like = act.owner()
        act.system.start("session-threads", *like.options, **like.env)
        act.system.wait_ready(["session-threads"])
    solo = [each for each in act.system.workers() if each.name != "session-threads"]
    owner = act.rng.choice(solo)
    began = time.monotonic()
    owner.signal(signal.SIGTERM)
    threads = [threading.Thread(target=_hint) for _ in range(PARALLEL_HINTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took = act.recovered(began)
    act.system.restart(owner.name)
    return took


def _hint() -> None:
    app.send_task("sessions.tasks.run_sessions", queue="sessions", ignore_result=True)


def harm_broker(act: Act, number: int) -> float:
    """In turn: stopped, killed, emptied, frozen. While it is away the sessions go on."""
    system = act.system
    began = time.monotonic()
    match number % 4:
        case 0 | 1:
            system.stop_broker((signal.SIGTERM, signal.SIGKILL)[number % 2])
            took = act.recovered(began)
            system.start_broker()
            return max(took, act.recovered(time.monotonic()))
        case 2:
            redis.Redis.from_url(system.broker.url).flushall()
        case 3:
            process = system.broker.process
            assert process is not None
            freeze(process.pid)
            took = act.recovered(began)
            time.sleep(max(0.0, FROZEN_BROKER_SECONDS - took))
            thaw(process.pid)
            return took
    return act.recovered(began)


def restart_postgres(act: Act, number: int) -> float:
    """Immediate shutdown: every connection is gone and the next start is a recovery."""
    act.pause(0.0, 0.3)
    began = time.monotonic()
    act.system.restart_postgres()
    return act.recovered(began)


def terminate_backends(act: Act, number: int) -> float:
    """One connection of a worker; after every fifth the sessions may go on first."""
    act.pause(0.0, 0.3)
    began = time.monotonic()
    act.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'session-%%' ORDER BY random() LIMIT 1"
    )
    return act.recovered(began) if number % BURST == BURST - 1 else 0.0


def cut_commit(act: Act, number: int) -> float:
    """Between a COMMIT and its answer, or just before the COMMIT: a client cannot tell."""
    made = act.system.proxy.made
    act.system.proxy.cut_next(proxy.REQUEST if number % 3 == 2 else proxy.ANSWER)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while act.system.proxy.made == made and time.monotonic() < deadline:
        time.sleep(0.005)
    return act.recovered(time.monotonic())


def kill_market(act: Act, number: int) -> float:
    act.pause(0.0, 0.3)
    market = act.system.running["market"]
    began = time.monotonic()
    market.signal(signal.SIGKILL)
    act.system.restart("market")
    return act.recovered(began)


def pass_a_bad_place(act: Act, number: int) -> float:
    """The feed of this day has bad places (tests.drills.bad_feed); wait until one more is behind.

    Every fourth is a real silence on top: the market process is frozen for a second.
    """
    if number % 4 == 0:
        pid = act.system.running["market"].process.pid
        freeze(pid)
        time.sleep(1.0)
        thaw(pid)
    assert act.bad_places is not None
    ticks = len(act.recorded.tape.ticks)
    first, _ = bad_places(act, ticks)[number]
    act.hurry()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while act.log_seq < first + 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    return act.recovered(time.monotonic())


def bad_places(act: Act, tick_count: int) -> list[tuple[int, str]]:
    assert act.bad_places is not None
    return places(tick_count, *act.bad_places)


def step_clock(act: Act, number: int) -> float:
    """In turn: a worker with room is an hour ahead, so that every lease is past to it; one that
    drives sessions is an hour back.
    """
    began = time.monotonic()
    if number % 2:
        act.owner().signal(STEP_BACK)
    else:
        act.idlest().signal(STEP_AHEAD)
    took = act.recovered(began)
    time.sleep(1.5 * act.system.lease_seconds)
    return max(took, act.recovered(time.monotonic()))


def fill_disk(act: Act, number: int) -> float:
    """No file of the database may grow beyond DISK_LIMIT_BYTES for a while (RLIMIT_FSIZE, which
    takes no rights and no file system of its own). Tables cannot be extended, nor can the log be
    written, so the server stops itself; with room again it is started.
    """
    began = time.monotonic()
    _limit_files(act, str(DISK_LIMIT_BYTES))
    time.sleep(DISK_FULL_SECONDS)
    process = act.system.postgres.process
    assert process is not None
    if process.poll() is None:
        _limit_files(act, "unlimited")
    act.system.restart_postgres(signal.SIGQUIT)
    return act.recovered(began)


def _limit_files(act: Act, soft: str) -> None:
    """As the user the server runs as, which may do this to its own processes."""
    user = service_user.number()
    for pid in act.system.postgres_pids():
        subprocess.run(  # a connection may have ended meanwhile
            ["prlimit", "--pid", str(pid), f"--fsize={soft}:"],
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stderr=subprocess.DEVNULL,
            check=False,
        )


def roll_workers(act: Act, number: int) -> float:
    """Every worker is asked to stop and started again, one after the other."""
    slowest = 0.0
    for worker in act.system.workers():
        held = act.held_by(worker)
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        worker.process.wait()
        # Some it may have lost meanwhile, on a machine as busy as this; not all of them.
        if held and not act.released_by(worker):
            act.trouble.append(f"{worker.app} stopped and handed over none of {held} sessions")
        slowest = max(slowest, act.recovered(began))
        act.system.restart(worker.name)
        act.system.wait_ready([worker.name])
    return slowest


def lose_watchers(act: Act, number: int) -> float:
    """In turn: no beat and no watcher for 60 s (12 leases) while a worker dies; two of each."""
    system = act.system
    if number % 2:
        for name in ("beat-2", "default-2"):
            system.start(name)
        system.wait_ready(["default-2"])
        time.sleep(6 * system.lease_seconds)
        took = act.recovered(time.monotonic())
        for name in ("beat-2", "default-2"):
            system.end(name)
        return took
    for name in ("beat", "default"):
        system.end(name, signal.SIGKILL)
    began = time.monotonic()
    victim = act.owner()
    victim.signal(signal.SIGKILL)
    took = act.recovered(began)
    time.sleep(max(0.0, 12 * system.lease_seconds - took))
    for name in ("beat", "default"):
        system.start(name)
    system.restart(victim.name)
    return max(took, act.recovered(time.monotonic()))


Harm = Callable[[Act, int], float]
