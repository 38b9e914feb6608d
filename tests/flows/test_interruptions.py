"""Runners that freeze and die, a system that is stopped and started: the day's cents stay the same.

What they should be is said by an undisturbed run of the same tape, `bin/manage simulate`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher import processes
from launcher.paths import ROOT
from launcher.supervisor import read_procfile
from tests.flows.api import Api, Ran, wait_until
from tests.flows.forms import put_spread
from tests.flows.simulated import common_of_live, common_of_simulated, simulate
from tests.flows.stack import Stack
from tests.flows.tapes import DAY, NEXT_DAY, HandTape

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
ALICE = "alice@example.com"
LEAD = "--lead-seconds 20"  # to make the bots in, before the open
NO_LEAD = "--lead-seconds 1"
SHORT_LEASE = {"LEASE_SECONDS": "2"}
TAPE = HandTape(
    DAY,
    first="15:40:00",
    # The mid of 2.50 visits 1.80 and 3.30.
    puts_up_cents={"15:46:00": -70, "15:47:00": 0, "15:52:00": 80, "15:53:00": 0},
    silences=[("15:56:00", "15:56:08")],
)
SHORT_TAPE = HandTape(NEXT_DAY, first="15:57:40")
COUNTS = """\
times = ["15:42", "15:50"]


def on_start(ctx):
    ctx.state = {"ticks": 0, "fills": 0}


def on_tick(ctx):
    ctx.state["ticks"] += 1
    if ctx.state["ticks"] % 25 == 0:
        ctx.log("counted", ticks=ctx.state["ticks"], nlv_cents=ctx.nlv_cents)


def at(ctx, time):
    legs = [sell("put", points_otm=5), buy("put", offset=-25, leg=0)]
    ctx.open(legs, order="market", stop_loss_pct=30)


def on_fill(ctx, fill):
    ctx.state["fills"] += 1
    ctx.signal("filled", number=ctx.state["fills"], price=fill.price)
"""
STRATEGIES = {
    "spreads": put_spread(
        *("15:41:00", "15:44:00", "15:49:00", "15:54:00", "15:58:00"),
        leave={"profit_target_pct": 20},
    ),
    "counter": {"program": COUNTS},
}


@dataclass
class Disturbed:
    """What became of the bots, how many ticks had passed at each interruption, and what the runner
    that was killed and the one that was frozen wrote into their logs.
    """

    interrupted_at: dict[str, int]
    killed_log: str
    frozen_log: str
    days: dict[str, Ran]


@contextmanager
def own_worker(stack: Stack, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A further worker for sessions, of ours to freeze and to kill."""
    with log.open("wb") as stream:
        worker = processes.spawn(
            ["/bin/sh", "-c", f"exec env {read_procfile()['worker-sessions']}"],
            log=stream,
            stop_signal=signal.SIGTERM,
            env={**stack.env, **SHORT_LEASE},
            cwd=ROOT,
        )
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGCONT)
        processes.stop(worker, signal.SIGTERM, patience_seconds=20)


class Day:
    """One tape, one data directory, and several starts of the system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tape = TAPE.write(folder)
        self.bots: dict[str, str] = {}
        self.interrupted_at: dict[str, int] = {}

    def stack(self, *, speed: float = 30) -> Stack:
        return Stack(
            tape=self.tape,
            speed=speed,
            data=self.folder / "data",
            market_options=LEAD,
            env=SHORT_LEASE,
        )

    def ticks(self, api: Api) -> int:
        """How many the session that is furthest behind has processed; all must be alive."""
        rows = [api.session(bot_id, DAY) for bot_id in self.bots.values()]
        assert all(row is None or row["status"] in LIVE for row in rows), rows
        return min(row["tick_count"] if row else 0 for row in rows)

    def go_on(self, api: Api, ticks: int = 60) -> None:
        """Until every session has processed so many more."""
        wanted = self.ticks(api) + ticks
        wait_until(lambda: self.ticks(api) >= wanted, "the sessions go on")

    def interrupt(self, api: Api, how: str) -> None:
        self.interrupted_at[how] = self.ticks(api)

    def lose_runners(self) -> None:
        """One runner killed, the next frozen and thawed again, then everything stopped."""
        with self.stack() as stack:
            theirs = stack.pid("worker-sessions")
            os.kill(theirs, signal.SIGSTOP)  # ours shall be the first
            with own_worker(stack, self.folder / "killed.log") as killed:
                api = Api.signed_up(stack, ALICE)
                self.make_bots(api)
                self.go_on(api, 30)
                with own_worker(stack, self.folder / "frozen.log") as frozen:
                    wait_until(lambda: is_ready(self.folder / "frozen.log"), "the worker is ready")
                    self.interrupt(api, "killed a runner")
                    killed.kill()
                    self.go_on(api)
                    self.interrupt(api, "froze a runner")
                    frozen.send_signal(signal.SIGSTOP)
                    os.kill(theirs, signal.SIGCONT)
                    self.go_on(api)
                    frozen.send_signal(signal.SIGCONT)
                    self.go_on(api)
            self.interrupt(api, "stopped all")
            assert stack.stop() == 0

    def make_bots(self, api: Api) -> None:
        for name, strategy in STRATEGIES.items():
            self.bots[name] = api.make_bot(name, strategy, schedule={"auto_start": True})
        assert not api.has_opened(), "the bots came too late; give the market a longer lead"

    def finish(self) -> dict[str, Ran]:
        with self.stack(speed=120) as stack:
            api = Api.signed_in(stack, ALICE)
            return {name: api.settled(bot_id, DAY) for name, bot_id in self.bots.items()}


LIVE = ("scheduled", "registering", "waiting_for_data", "running")


def is_ready(log: Path) -> bool:
    return "ready." in log.read_text(errors="replace")


@pytest.fixture(scope="module")
def disturbed(folder: Path) -> Disturbed:
    day = Day(folder)
    day.lose_runners()
    days = day.finish()
    killed, frozen = ((folder / name).read_text() for name in ("killed.log", "frozen.log"))
    return Disturbed(day.interrupted_at, killed, frozen, days)


def test_every_interruption_came_in_the_middle_of_the_day(disturbed):
    at = list(disturbed.interrupted_at.values())

    assert list(disturbed.interrupted_at) == [
        "killed a runner",
        "froze a runner",
        "stopped all",
    ]
    assert at == sorted(at)
    assert at[0] > 0
    assert at[-1] < disturbed.days["spreads"].session["tick_count"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_an_interrupted_day_is_the_undisturbed_day_row_by_row(disturbed, name, tmp_path):
    live = common_of_live(disturbed.days[name])

    undisturbed = common_of_simulated(simulate(TAPE.write(tmp_path), STRATEGIES[name], tmp_path))

    assert live["orders"]
    for what, rows in undisturbed.items():
        assert live[what] == rows, what


def test_an_interrupted_day_comes_to_the_same_cents(disturbed):
    spreads = disturbed.days["spreads"].session
    counter = disturbed.days["counter"].session

    # Five spreads for 2.45 each. The first two reach the target at 15:46:00 and are bought back for
    # 1.85, the others expire: 5 × (245.00 - 3.44) - 2 × (185.00 + 1.44).
    assert (spreads["status"], spreads["total_pl"]) == ("completed", "834.92")
    # Two at 2.40, stopped out at a mid of 3.30 and bought back for 3.35: 2 × (240 - 335 - 4.88).
    assert (counter["status"], counter["total_pl"]) == ("completed", "-199.76")
    # The tape has 1201 seconds less the seven of the silence.
    assert (spreads["tick_count"], counter["tick_count"]) == (1194, 1194)


def test_a_program_keeps_its_memory_through_every_interruption(disturbed):
    ran = disturbed.days["counter"]

    counted = [row["data"]["ticks"] for row in ran.decisions if row["message"] == "counted"]
    assert counted == list(range(25, 1194, 25))
    signals = [row["data"]["number"] for row in ran.decisions if row["name"] == "filled"]
    assert signals == [1, 2, 3, 4]


def test_the_runners_did_drive_the_sessions_before_they_were_lost(disturbed):
    assert disturbed.killed_log.count("runner started") == 1
    assert disturbed.frozen_log.count("runner started") == 1
    # Thawed, it finds its sessions gone: by the epoch, or because it was in a transaction.
    told = ("session lost to another owner", "trouble around us, starting over")
    assert any(words in disturbed.frozen_log for words in told)


def test_when_the_market_has_moved_on_the_next_start_settles(folder, disturbed):
    """Stopped in the middle of a day, and started again without its tape."""
    data = folder / "data"
    tape = SHORT_TAPE.write(folder)
    bot_id = disturbed.days["spreads"].bot["id"]
    with Stack(tape=tape, speed=10, data=data, market_options=NO_LEAD) as stack:
        api = Api.signed_in(stack, ALICE)
        wait_until(lambda: has_filled(api, bot_id), "the entry fills")
        stopped = api.session(bot_id, NEXT_DAY)

    with Stack(data=data) as stack:
        ran = Api.signed_in(stack, ALICE).settled(bot_id, NEXT_DAY)

    assert stopped is not None
    assert (stopped["status"], stopped["total_pl"]) == ("running", None)
    assert ran.session["tick_count"] < 141  # the tape goes on to the close
    # Sold at 2.45; the tape's official close of 5950 counts: both puts expire.
    assert (ran.session["status"], ran.session["total_pl"]) == ("completed", "241.56")
    assert ran.session["settled_at"] == "2026-05-08T20:00:00.000Z"
    # 25,000 + 834.92 of the day before + 241.56
    assert ran.bot["cash_balance"] == "26076.48"


def has_filled(api: Api, bot_id: str) -> bool:
    row = api.session(bot_id, NEXT_DAY)
    if row is None:
        return False
    orders = api.get(f"/bots/{bot_id}/sessions/{row['session_id']}/orders?status=filled")
    return bool(orders)
