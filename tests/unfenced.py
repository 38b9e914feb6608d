"""The commit without its fence, for controls: whoever believes to own a session may write."""

from __future__ import annotations

import re

from sessions import commit

GUARDED = ("_MOVE", "_MOVE_QUIET")  # the statements of a commit that move sessions
_GUARD = re.compile(r"WHERE s\.id = v\.id AND s\.epoch = v\.epoch.+?AND s\.owner = \S+", re.S)


def statements() -> dict[str, str]:
    """By their names in `sessions.commit`: the guarded updates without the guard."""
    return {name: _unguarded(getattr(commit, name)) for name in GUARDED}


def _unguarded(statement: str) -> str:
    found, count = _GUARD.subn("WHERE s.id = v.id", statement)
    assert count == 1, "the guard is written otherwise now"
    assert "s.epoch" not in found
    return found
