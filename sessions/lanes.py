"""In which order a runner serves its sessions, so that no program holds up the sessions beside it.

A turn steps and commits the quiet sessions first: their programs are not called on the coming tick.
Then come those whose programs may be called, last those whose programs were slow the last time.
These two have `TURN_SECONDS` together, counted from when the quiet sessions are done, and each at
least a step of one session: whoever is left is served in the next turn, after the quiet sessions
have had theirs. The order moves no row: each session sees the same ticks.
"""

from __future__ import annotations

from enum import IntEnum

from sessions.hosted import HostedSession
from simengine.state import SessionState, SessionTerms
from simengine.strategy import Hooks
from strategies.runtime.sandbox import SandboxedStrategy

TURN_SECONDS = 0.25
SOON_MS = 2000  # a time so close may be due on the coming tick


class Lane(IntEnum):
    QUIET = 0
    CALLED = 1
    SLOW = 2


def lane_of(hosted: HostedSession) -> Lane:
    strategy = hosted.strategy
    if isinstance(strategy, SandboxedStrategy) and strategy.patience.is_slow:
        return Lane.SLOW
    if _may_be_called(hosted.state, hosted.terms, strategy.hooks):
        return Lane.CALLED
    return Lane.QUIET


def _may_be_called(state: SessionState, terms: SessionTerms, hooks: Hooks) -> bool:
    if hooks.on_tick or (hooks.on_start and not state.has_started):
        return True
    if hooks.on_fill and state.orders:
        return True
    if state.next_entry >= len(state.entries):
        return False
    due_ms = terms.midnight_ms + state.entries[state.next_entry].seconds * 1000
    return due_ms <= state.last_at_ms + SOON_MS
