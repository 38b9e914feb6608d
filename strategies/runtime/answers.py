"""What a program answered: JSON text from an untrusted process, made into a Decision or refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from simengine.strategy import Decision, StrategyError

ANSWER_LIMIT_BYTES = 700_000  # a hundred full log entries and the state
STATE_LIMIT_BYTES = 16_384
ACTIONS_LIMIT = 201  # of orders and of log entries 100 each, and the line that counts the rest
TYPES = {"message": str, "name": str, "reason": str, "data": dict}
ACTIONS = {
    "open": {
        "legs",
        "contracts",
        "order",
        "limit_cents",
        "profit_target_pct",
        "stop_loss_pct",
        "trailing_stop_pct",
        "trailing_start_pct",
        "exit_on_touch",
        "exit_at_seconds",
        "name",
    },
    "close": {"trade", "order"},
    "cancel": {"order"},
    "log": {"message", "data"},
    "signal": {"name", "data"},
    "skip": {"reason"},
}


def read_answer(text: Any) -> Decision:
    """The Decision that `text` says. Raises StrategyError for what no well-meant program answers.

    The values of an action are the engine's to judge; here they only have to be known and bounded.
    """
    if not isinstance(text, str):
        raise StrategyError("the program answered nonsense")
    if len(text) > ANSWER_LIMIT_BYTES:
        raise StrategyError(f"the answer has {len(text)} bytes; at most {ANSWER_LIMIT_BYTES}")
    try:
        answer = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StrategyError(f"the answer is no JSON: {error}") from None
    if "\\u0000" in text:  # no database text can hold it
        answer = _without_nul(answer)
    state = answer["state"]
    size = len(json.dumps(state))
    if size > STATE_LIMIT_BYTES:
        raise StrategyError(f"ctx.state has {size} bytes as JSON; at most {STATE_LIMIT_BYTES}")
    if len(answer["actions"]) > ACTIONS_LIMIT:
        raise StrategyError(f"the answer holds more than {ACTIONS_LIMIT} actions")
    for action in answer["actions"]:
        _check_action(action)
    return Decision(actions=answer["actions"], state=state)


def _check_action(action: Any) -> None:
    do = action.get("do") if isinstance(action, dict) else None
    if not isinstance(do, str) or do not in ACTIONS:
        raise StrategyError("the answer holds an action nobody knows; use the methods of ctx")
    if action.keys() != ACTIONS[do] | {"do"}:
        raise StrategyError(f"the action {do!r} has other fields than the methods of ctx give it")
    for name in action.keys() & TYPES.keys():
        if do != "open" and not isinstance(action[name], TYPES[name]):
            raise StrategyError(f"{name} of the action {do!r} is of another kind")


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
