"""The sandbox's end of the conversation: wait for a call, run the hook, answer with JSON text.

The answer is text because text has a length: a value of shared lists can be a few bytes in here and
gigabytes once copied out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from strategies.runtime.prelude.context import Ctx
from strategies.runtime.prelude.values import Fill


def serve(hooks: dict[str, Callable[..., None]]) -> None:
    """Run forever. `_next_event` is the host's; the token proves that the loop itself is asking."""
    token = ""
    answer = ""
    while True:
        # The sandbox puts this function there.
        event = _next_event(token, answer)  # type: ignore[name-defined]  # noqa: F821
        token = event[0]
        answer = call(hooks[event[1]], event[1], event[2], event[3])


def call(function: Callable[..., None], hook: str, view: dict[str, Any], argument: Any) -> str:
    """One hook over one view: `{"actions": [...], "state": ...}` as JSON."""
    ctx = Ctx(view, hook)
    if hook == "on_fill":
        function(ctx, Fill(argument))
    elif hook == "at":
        function(ctx, argument)
    else:
        function(ctx)
    return json.dumps({"actions": ctx.finish(), "state": ctx.state})
