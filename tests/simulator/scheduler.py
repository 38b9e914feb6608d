"""Processes of one simulated world, one running at a time, in virtual seconds.

Each process is a thread with its own database connection; a baton says whose turn it is, so a seed
gives the same order of statements every time. Nobody waits for real: whoever would sleep hands the
baton back, and the clock jumps to the next one that is due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

POLL_SECONDS = 4.0  # a runner trusts silence so long


class Killed(BaseException):
    """kill -9: the process is gone at this very place."""


@dataclass
class Process:
    """One thread and what it is doing; `error` is what its body raised, or is to raise next."""

    name: str
    wake_at: float = 0.0
    is_asleep: bool = False  # a wake-up may cut its waiting short
    is_done: bool = True
    error: BaseException | None = None
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    body: Callable[[], None] | None = None


class Scheduler:
    """Made once; `run` plays one world after the other on the same threads."""

    def __init__(self, names: list[str]) -> None:
        self.now = 0.0
        self.processes = {name: Process(name) for name in names}
        self._main = threading.Semaphore(0)
        self._here = threading.local()
        self._threads = [
            threading.Thread(target=self._live, args=(process,), daemon=True)
            for process in self.processes.values()
        ]
        for thread in self._threads:
            thread.start()

    # For the main thread ---------------------------------------------------------------------

    def run(
        self,
        bodies: dict[str, Callable[[], None]],
        *,
        until: float,
        after_step: Callable[[], None],
        is_over: Callable[[], bool],
    ) -> None:
        """Play until nobody is left, `is_over`, or the clock passes `until`. Then everybody who is
        still there is killed. Raises what a body raised.
        """
        self.now = 0.0
        for process in self.processes.values():
            process.body = bodies.get(process.name)
            process.is_done = process.body is None
            process.wake_at, process.is_asleep, process.error = 0.0, False, None
        try:
            while self._step(until):
                after_step()
                if is_over():
                    break
        finally:
            self._end_all()

    def close(self) -> None:
        for process in self.processes.values():
            process.body = None
            process.baton.release()
        for thread in self._threads:
            thread.join()

    def _step(self, until: float) -> bool:
        waiting = [process for process in self.processes.values() if not process.is_done]
        if not waiting:
            return False
        due = min(waiting, key=lambda process: process.wake_at)
        self.now = max(self.now, due.wake_at)
        if self.now > until:
            return False
        self._hand_to(due)
        if due.error is not None:
            raise due.error
        return True

    def _hand_to(self, process: Process) -> None:
        process.baton.release()
        self._main.acquire()

    def _end_all(self) -> None:
        for process in self.processes.values():
            if not process.is_done:
                process.error = Killed()
                self._hand_to(process)

    # For the processes -----------------------------------------------------------------------

    @property
    def current(self) -> Process | None:
        return getattr(self._here, "process", None)

    def pause(self, seconds: float, *, can_be_woken: bool = False) -> None:
        """Let the others run for so long."""
        process = self.current
        assert process is not None
        process.wake_at, process.is_asleep = self.now + seconds, can_be_woken
        self._main.release()
        process.baton.acquire()
        process.is_asleep = False
        if process.error is not None:
            raise process.error

    def wake(self, delay: float) -> None:
        """Whoever sleeps lightly is up soon."""
        for process in self.processes.values():
            if process.is_asleep and not process.is_done:
                process.wake_at = min(process.wake_at, self.now + delay)

    def _live(self, process: Process) -> None:
        self._here.process = process
        while True:
            process.baton.acquire()
            if process.body is None:
                connection.close()
                return
            try:
                process.body()
            except Killed:
                if connection.connection is not None:
                    connection.close()
            except BaseException as error:
                process.error = error
            process.is_done = True
            self._main.release()


class Time:
    """What the runner's module takes for `time`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def monotonic(self) -> float:
        return 1_000.0 + self._scheduler.now

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds)


def listener_of(scheduler: Scheduler) -> Any:
    """What a runner sleeps on: until a wake-up, some of which are lost, or POLL_SECONDS."""

    class Listener:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exc: object) -> None:
            pass

        def wait(self) -> None:
            scheduler.pause(POLL_SECONDS, can_be_woken=True)

    return Listener
