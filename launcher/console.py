"""What a person at the terminal reads."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Refusal(Exception):
    """What cannot be done, as one sentence that says what to do about it."""

    def __init__(self, sentence: str, *, exit_status: int = 1) -> None:
        super().__init__(sentence)
        self.exit_status = exit_status


def progress(line: str = "", *, end: str = "\n") -> None:
    """Tell what is being done. On stderr: a command's own output may be read by a program."""
    with suppress(OSError):  # the terminal may be gone, and what we do must be done all the same
        print(line, end=end, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step before it runs and its duration after; a failed one shows no duration."""
    started = time.monotonic()
    progress(f"  {title} … ", end="")
    try:
        yield
    except BaseException:
        progress()
        raise
    progress(f"{time.monotonic() - started:.1f} s")
