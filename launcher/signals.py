"""A stop asked for from outside, as an exception of the main thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. A BaseException: no handler of errors may eat it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@contextmanager
def stoppable() -> Iterator[None]:
    """The first stop signal raises `Stopped`; later ones are ignored, so that cleaning up ends."""

    def first(signum: int, _frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, _later)  # not SIG_IGN: children would inherit that
        raise Stopped(signum)

    before = {each: signal.signal(each, first) for each in STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _later(_signum: int, _frame: FrameType | None) -> None:
    """Already stopping."""
