from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bots.models import Bot
from sessions.registration import Registrar
from sessions.runner import Runner
from strategies.compiler import compile_form
from strategies.form import normalise
from strategies.models import Strategy
from strategies.runtime.program import source_hash
from strategies.runtime.sandbox import Sandbox
from tests.factories import BotFactory, StrategyLinkFactory
from tests.sessions import market

SPREAD = [
    {
        "direction": "sell",
        "type": "put",
        "qty": 1,
        "strike": {"method": "points_otm", "value": 5},
    },
    {
        "direction": "buy",
        "type": "put",
        "qty": 1,
        "strike": {"method": "offset", "value": -25, "from": 0},
    },
]


def put_spread(entry: dict | None = None, **more: object) -> str:
    """The program of a put credit spread 5945/5920 entered at 09:30:05."""
    config = {"legs": SPREAD, "entry": {"times": ["09:30:05"], **(entry or {})}, **more}
    return compile_form(normalise(config))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


@pytest.fixture
def runner(sandbox: Sandbox) -> Callable[..., Runner]:
    """A runner of its own identity; `turn()` it by hand."""

    def make(capacity: int = 100, *, stop_after_turns: int | None = None) -> Runner:
        return Runner(registrar=Registrar(sandbox), stop_requested=lambda: False, capacity=capacity)

    return make


@pytest.fixture
def make_bot(alice: object) -> Callable[..., Bot]:
    """A bot of alice's that runs `program`."""

    def make(program: str, **fields: object) -> Bot:
        strategy, _ = Strategy.objects.get_or_create(
            source_hash=source_hash(program), defaults={"program": program}
        )
        owner = fields.pop("owner", alice)
        link = StrategyLinkFactory(owner=owner, strategy=strategy)
        return BotFactory(owner=owner, strategy_link=link, **fields)

    return make


@pytest.fixture
def open_market(db: None) -> None:
    """The day is announced and its first tick is out: regular hours."""
    market.announce()
    market.publish([market.tick(1)])


def drive(runner: Runner, turns: int = 500) -> None:
    """Turn until nothing moves."""
    runner._claimed_at = 0.0
    for _ in range(turns):
        if not runner.turn():
            return
    raise AssertionError(f"still moving after {turns} turns")
