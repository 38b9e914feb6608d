"""What a simulated day begins with: no row of the day before, a few bots of alice."""

from __future__ import annotations

import uuid
from random import Random

from django.db import connection

from accounts.models import User
from bots.models import Bot
from simengine.policy import ClosingReprice, OpeningReprice, Policy
from strategies.models import Strategy
from strategies.runtime.program import source_hash
from tests.simulator.programs import text_of
from tests.simulator.ticks import OPEN_SECOND

NAMESPACE = uuid.UUID("3d6f1c52-53a1-4c1e-9a52-6a2f5e0b7c11")
EMPTIED = (
    "bot_sessions_decision", "bot_sessions_entry", "bot_sessions_financialchunk",
    "bot_sessions_order", "bot_sessions_position", "bot_sessions_sessionevent",
    "bot_sessions_sessionrequest", "bot_sessions_trade", "bot_sessions_transaction",
    "bot_sessions_botsession", "bots_bot", "marketdata_marketclock", "marketdata_marketday",
    "marketdata_tick",
)  # fmt: skip


def empty() -> None:
    with connection.cursor() as cursor:
        for table in EMPTIED:
            cursor.execute(f"DELETE FROM {table}")


def make_bots(rng: Random, *, seconds: int) -> list[Bot]:
    """Up to four bots of alice, with programs and policies of all sorts."""
    owner, _ = User.objects.get_or_create(email="alice@example.com")
    bots = []
    for number in range(rng.choice([1, 2, 2, 3, 4])):
        times = [OPEN_SECOND + rng.randrange(seconds) for _ in range(3)]
        busyness = rng.choice([0, 0, 5, 30])
        text = text_of(str(rng.randrange(40)), busyness, times)
        strategy, _ = Strategy.objects.get_or_create(
            source_hash=source_hash(text), defaults={"program": text}
        )
        cash_cents = rng.choice([100_000_000, 2_500_000, 2_500_000, 200_000])
        bots.append(
            Bot(
                id=uuid.uuid5(NAMESPACE, str(number)), owner=owner, name=f"bot {number}",
                strategy=strategy, strategy_name="simulated", strategy_kind="program",
                starting_capital_cents=cash_cents, cash_balance_cents=cash_cents,
                policy=_policy(rng).as_json(),
            )
        )  # fmt: skip
    return Bot.objects.bulk_create(bots)


def _policy(rng: Random) -> Policy:
    return Policy(
        max_daily_loss_e4=rng.choice([5000, 5000, 500, 50]),
        max_open_positions=rng.choice([10, 3, 1]),
        max_open_orders=rng.choice([10, 3]),
        auto_pause_on_error=rng.random() < 0.5,
        error_budget=rng.choice([100, 5, 1]),
        data_staleness_threshold_ms=rng.choice([1000, 3000, 3000]),
        opening=OpeningReprice(
            enabled=rng.random() < 0.8,
            nudge_after_seconds=rng.choice([5, 10]),
            min_interval_seconds=rng.choice([1, 4]),
            flat_tolerance_ticks=rng.choice([1, 4]),
            max_concession_cents=rng.choice([0, 20, 100]),
        ),
        closing=ClosingReprice(
            enabled=rng.random() < 0.8,
            nudge_after_seconds=rng.choice([5, 10]),
            min_interval_seconds=rng.choice([1, 4]),
        ),
    )
