"""The sandbox of this process, started when first needed: for checking what users save."""

from __future__ import annotations

import atexit
from functools import cache

from strategies.runtime.sandbox import Sandbox

PROCESSES = 2


def shared_sandbox() -> Sandbox:
    """Started. Raises SandboxUnavailable where workers cannot be started."""
    sandbox = _sandbox()
    sandbox.start()
    return sandbox


@cache
def _sandbox() -> Sandbox:
    sandbox = Sandbox(processes=PROCESSES)
    atexit.register(sandbox.close)
    return sandbox
