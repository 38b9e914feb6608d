"""Where programs run: worker processes with their own interpreter, no files, no network, no clock.

A program sees nothing but the view it is handed, and its answer comes back as text of bounded
length. A live program occupies one worker and stays live as long as there are workers enough; one
that is not is loaded again when its turn comes (some milliseconds), which changes nothing because a
program remembers nothing but `ctx.state`. A call that runs out of time or memory costs the worker
its program, and the caller one StrategyError; a worker that dies is replaced (see `patience`).

Calls are serialised by a lock. A process forked from one that had workers cannot have any: the
library would wait for ever, so it is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from pydantic_monty import Monty, MontyError

from simengine.strategy import Decision, Hooks, StrategyError
from strategies.runtime.answers import read_answer
from strategies.runtime.chain_text import ChainText
from strategies.runtime.live import Limits, LiveProgram, NoWorker, SessionLost
from strategies.runtime.patience import Patience
from strategies.runtime.program import InvalidProgram, ProgramInfo, parse_program

DEFAULT_PROCESSES = 32  # some 2.5 MB each, started as programs need them
IN_USE_MS = 2000  # of the market: a program called so lately is called on every tick
NOT_CALLED = 0
_started_in: set[int] = set()  # the process that had workers; a forked child inherits its entry


class SandboxUnavailable(Exception):
    """No worker could be started: an operator's problem, not the program's."""


@dataclass(frozen=True, slots=True)
class SandboxedStrategy:
    """A program as the engine's `Strategy`, one a session. The sandbox holds the process."""

    hooks: Hooks
    source_hash: str
    program: ProgramInfo
    sandbox: Sandbox
    patience: Patience = field(default_factory=Patience)

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> Decision:
        """One hook over one view. Raises StrategyError (the program's) or SandboxUnavailable."""
        if hook not in self.program.hook_names:
            raise StrategyError(f"the program defines no {hook}")
        now_ms = view["at_ms"]
        if pause_ms := self.patience.pause_ms(now_ms):
            seconds = -(-pause_ms // 1000)
            raise StrategyError(f"not called for {seconds} s more: it kept losing its worker")
        began = time.perf_counter()
        try:
            text = self._answer(hook, view, argument)
        except SessionLost as lost:
            self.patience.lost(now_ms)
            line = lost.line or self.program.hook_lines[hook]
            raise StrategyError(lost.message, line=line) from None
        finally:
            self.patience.call_seconds = time.perf_counter() - began
        self.patience.served()
        return read_answer(text)

    def _answer(self, hook: str, view: dict[str, Any], argument: Any) -> str:
        try:
            return self.sandbox.answer(self.program, hook, view, argument)
        except SessionLost as lost:
            if not lost.may_be_ours or self.patience.losses:
                raise
        return self.sandbox.answer(self.program, hook, view, argument)


class Sandbox:
    """A pool of at most `processes` workers; a context manager, or `start()` and `close()`."""

    def __init__(self, *, processes: int = DEFAULT_PROCESSES, limits: Limits | None = None) -> None:
        self._processes = processes
        self._limits = limits or Limits()
        self._pool: Monty | None = None
        self._live: OrderedDict[str, LiveProgram] = OrderedDict()
        self._chain_text = ChainText()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Raises SandboxUnavailable. Starting a started sandbox changes nothing."""
        with self._lock:
            self._started_pool()

    def close(self) -> None:
        """End every worker. The sandbox can be started again."""
        with self._lock:
            while self._live:
                self._live.popitem()[1].close()
            if self._pool is not None:
                self._pool.__exit__(None, None, None)
                self._pool = None

    def strategy(self, text: str) -> SandboxedStrategy:
        """The program as a Strategy, loaded once to know that it loads.

        Raises InvalidProgram (with the place) and SandboxUnavailable.
        """
        info = parse_program(text)
        with self._lock:
            try:
                self._live_program(info, NOT_CALLED)
            except SessionLost as lost:
                raise InvalidProgram(lost.message) from None
        return SandboxedStrategy(info.hooks, info.source_hash, info, self)

    def answer(self, program: ProgramInfo, hook: str, view: dict[str, Any], argument: Any) -> str:
        """What a hook answers, as text. Raises StrategyError, SessionLost or SandboxUnavailable."""
        with self._lock:
            try:
                live = self._live_program(program, view["at_ms"])
                sent = self._chain_text.of(view)
                sent["random_seed"] = call_seed(view["random_seed"], hook, argument)
                return live.call(hook, sent, argument)
            except InvalidProgram as invalid:  # it loaded when it was saved
                raise SessionLost(f"the program does not load: {invalid}") from None
            except StrategyError:
                raise
            except BaseException:  # lost, or interrupted in the middle of a call
                self._discard(program.source_hash)
                raise

    def live_count(self) -> int:
        """How many programs hold a worker now."""
        return len(self._live)

    def worker_pids(self) -> list[int]:
        """The processes that hold a live program, for operators and tests."""
        return [pid for live in self._live.values() if (pid := live.worker_pid) is not None]

    def _live_program(self, program: ProgramInfo, now_ms: int) -> LiveProgram:
        """In its worker, as the one called last. `now_ms` is the market's."""
        key = program.source_hash
        live = self._live.get(key)
        if live is None:
            if len(self._live) >= self._processes:
                self._make_room(now_ms)
            live = self._live[key] = self._load(program)
        self._live.move_to_end(key)
        live.called_at_ms = now_ms
        return live

    def _make_room(self, now_ms: int) -> None:
        """End the program that was not called for longest, unless all are called on every tick.

        Then the one called last goes: it is the one not needed for longest, and all the others are
        found live when their turn comes again.
        """
        longest_ago = next(iter(self._live.values()))
        all_in_use = now_ms - longest_ago.called_at_ms <= IN_USE_MS
        self._live.popitem(last=all_in_use)[1].close()

    def _load(self, program: ProgramInfo) -> LiveProgram:
        pool = self._started_pool()
        try:
            try:
                return LiveProgram.load(pool, program, self._limits)
            except SessionLost:  # once: a busy machine can stall a worker
                return LiveProgram.load(pool, program, self._limits)
        except NoWorker as error:
            raise SandboxUnavailable(f"no worker for the program: {error}") from error

    def _started_pool(self) -> Monty:
        if _started_in and os.getpid() not in _started_in:
            raise SandboxUnavailable("this process was forked from one that had sandbox workers")
        if self._pool is None:
            _started_in.add(os.getpid())
            try:
                pool = Monty(
                    min_processes=1,
                    max_processes=self._processes,
                    checkout_timeout=self._limits.checkout_seconds,
                    request_timeout=self._limits.request_seconds,
                    turn_duration_limit_grace=self._limits.grace_seconds,
                )
                pool.__enter__()
            except (OSError, RuntimeError, MontyError) as error:
                raise SandboxUnavailable(f"sandbox workers cannot start: {error}") from error
            self._pool = pool
        return self._pool

    def _discard(self, key: str) -> None:
        live = self._live.pop(key, None)
        if live is not None:
            live.close()


def call_seed(tick_seed: int, hook: str, argument: Any) -> int:
    """The seed of one call: no two calls of a tick draw the same numbers, on any machine.

    `argument` is plain data, and what tells two calls of one hook apart (the time, the fill).
    """
    named = json.dumps([tick_seed, hook, argument], sort_keys=True)
    return int.from_bytes(hashlib.blake2b(named.encode(), digest_size=8).digest())
