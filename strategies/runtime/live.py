"""One program in one worker, waiting for its next call.

The program's hooks are served by a loop inside the sandbox (`prelude.serve`) that is suspended
between calls: resuming it costs a tenth of feeding a new snippet, and leaves nothing behind. An
exception ends the loop and is told with the program's line; the loop is then started again.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_monty import (
    CollectString,
    FunctionSnapshot,
    Monty,
    MontyConversionError,
    MontyCrashedError,
    MontyDisconnectError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    NameLookupSnapshot,
)

from simengine.strategy import StrategyError
from strategies.runtime import prelude
from strategies.runtime.hardening import restrict
from strategies.runtime.program import InvalidProgram, ProgramInfo

PROGRAM_FILE = "<python-input-1>"  # the second text fed to a session
MESSAGE_LIMIT = 500
SUSPENSIONS_A_CALL = 50
NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call and of one worker."""

    call_seconds: float = 0.25
    grace_seconds: float = 0.25
    request_seconds: float = 3.0
    checkout_seconds: float = 10.0
    memory_bytes: int = 32 * 1024 * 1024
    recursion_depth: int = 200
    printed_bytes: int = 65_536


class NoWorker(Exception):
    """A worker could not be started."""


class SessionLost(Exception):
    """The worker's program is gone or no longer to be trusted; the call failed.

    `may_be_ours`: a busy machine can stall a worker and an operator can end one, so it may be tried
    again.
    """

    def __init__(self, message: str, *, line: int | None = None, may_be_ours: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # of the program, where it was known when the call ended
        self.may_be_ours = may_be_ours


class LiveProgram:
    def __init__(self, session: MontySession, program: ProgramInfo, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._hooks = ", ".join(f'"{name}": {name}' for name in program.hook_names)
        self._token = secrets.token_hex(8)
        self._waiting: FunctionSnapshot | None = None
        self.called_at_ms = 0  # of the market, by whoever keeps it live

    @classmethod
    def load(cls, pool: Monty, program: ProgramInfo, limits: Limits) -> LiveProgram:
        """Raises InvalidProgram for what the sandbox cannot run, SessionLost or NoWorker."""
        session = pool.checkout(
            limits={
                "max_turn_duration_secs": limits.call_seconds,
                "max_memory": limits.memory_bytes,
                "max_recursion_depth": limits.recursion_depth,
                "max_suspensions": NEVER,
                "max_total_sleep_secs": 0,
            },
            # Frozen, so that the same view gives the same answer.
            os_policy={
                "datetime": datetime(2000, 1, 1),  # noqa: DTZ001
                "timezone": "utc",
                "sleep": "zero",
                "process_time": "zero",
                "random_start": {"seed": 0},
            },
        )
        try:
            session.__enter__()
        except (OSError, RuntimeError, MontyError) as error:  # TimeoutError is an OSError
            raise NoWorker(f"{error}") from error
        live = cls(session, program, limits)
        try:
            live._feed(program)
        except BaseException:
            live.close()
            raise
        return live

    @property
    def worker_pid(self) -> int | None:
        return self._session.worker_pid

    def call(self, hook: str, view: dict[str, Any], argument: Any) -> str:
        """The answer's text. Raises StrategyError (the program goes on) or SessionLost."""
        try:
            if self._waiting is None:
                self._start_loop()
            assert self._waiting is not None
            waiting, self._waiting = self._waiting, None
            event = [self._token, hook, view, argument]
            self._waiting = self._until_asking(waiting.resume({"return_value": event}))
        except MontyConversionError:
            raise  # the view is ours
        except (MontyCrashedError, MontyDisconnectError) as error:
            raise SessionLost(_crash_message(error), may_be_ours=True) from None
        except MontyRuntimeError as error:
            raise self._as_error(error) from None
        except MontyError as error:
            raise SessionLost(f"the sandbox gave up: {_cut(str(error))}") from None
        token, answer = self._waiting.args
        if token != self._token:
            raise SessionLost("the program spoke in the runtime's name")
        return str(answer)

    def close(self) -> None:
        """Give the worker back to the pool."""
        self._waiting = None
        with contextlib.suppress(MontyError):  # a dead worker cannot be given back
            self._session.__exit__(None, None, None)

    def _feed(self, program: ProgramInfo) -> None:
        self._session.feed_run(prelude.source())
        pid = self._session.worker_pid
        if pid is not None:
            restrict(pid)
        try:
            # The last line keeps the text's own last value from being copied out.
            self._session.feed_run(program.text + "\nNone", print_callback=self._printed())
            if program.hooks.times:
                self._session.feed_run("times = tuple(times)\nNone")
            self._start_loop()
        except (MontySyntaxError, MontyRuntimeError) as error:
            if isinstance(error.exception(), TimeoutError):
                raise SessionLost("TimeoutError: the program takes too long to load") from None
            line, column = _place(error)
            raise InvalidProgram(_cut(_first_line(error)), line, column) from None
        except MontyError as error:
            raise SessionLost(_crash_message(error), may_be_ours=True) from None

    def _start_loop(self) -> None:
        started = self._session.feed_start(
            f"_serve({{{self._hooks}}})", print_callback=self._printed()
        )
        self._waiting = self._until_asking(started)

    def _until_asking(self, snapshot: Any) -> FunctionSnapshot:
        """Drive to the loop's next question; whatever else the program asks the host is refused."""
        for _ in range(SUSPENSIONS_A_CALL):
            if isinstance(snapshot, FunctionSnapshot):
                if snapshot.is_os_function:
                    snapshot = snapshot.resume_not_handled()
                elif snapshot.function_name == "_next_event":
                    return snapshot
                else:
                    reason = f"name '{snapshot.function_name}' is not defined"
                    snapshot = snapshot.resume({"exc_type": "NameError", "message": reason})
            elif isinstance(snapshot, NameLookupSnapshot):
                snapshot = snapshot.resume()
            else:
                raise SessionLost("the program left the runtime's loop")
        raise SessionLost(f"the program asked the host more than {SUSPENSIONS_A_CALL} times")

    def _printed(self) -> CollectString:
        return CollectString(max_bytes=self._limits.printed_bytes)

    def _as_error(self, error: MontyRuntimeError) -> StrategyError | SessionLost:
        inner = error.exception()
        line, _ = _place(error)
        if isinstance(inner, TimeoutError):
            message = f"TimeoutError: a call may take {self._limits.call_seconds} s"
            return SessionLost(message, line=line, may_be_ours=True)
        if isinstance(inner, MemoryError):
            megabytes = self._limits.memory_bytes // (1024 * 1024)
            return SessionLost(f"MemoryError: a program may use {megabytes} MB", line=line)
        return StrategyError(_cut(_first_line(error)), line=line)


def _place(error: MontySyntaxError | MontyRuntimeError) -> tuple[int | None, int | None]:
    """Where in the program: the innermost frame of its own text."""
    for frame in reversed(error.traceback()):
        if frame.filename == PROGRAM_FILE:
            return frame.line, frame.column
    return None, None


def _first_line(error: MontyError) -> str:
    text = str(error)
    kind = type(error.exception()).__name__
    text = text if text.startswith(kind) else f"{kind}: {text}"
    return text.replace("\0", "\ufffd")


def _crash_message(error: MontyError) -> str:
    if isinstance(error, MontyCrashedError) and error.timed_out:
        return "TimeoutError: the program did not answer and its worker was ended"
    return "the program crashed its worker"


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else text[:MESSAGE_LIMIT] + "…"
