"""A demo account whose bots start by themselves: something to look at before writing a strategy.

The entry times leave something to do on a market that opens at 9:30 New York and on a recorded
afternoon that begins at 13:00.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import queries as account_queries
from accounts.models import User
from bots import services
from bots.models import Bot
from common import errors
from strategies import services as strategy_services
from strategies.models import StrategyLink

EMAIL = "demo@zerohour.local"
PASSWORD = "zerohour-demo"  # noqa: S105  # printed for everybody: an account to look around in


class WrongDemoPassword(errors.Conflict):
    """The account is there with another password; it may be somebody's own."""

    code = "wrong_demo_password"


@dataclass(frozen=True, slots=True)
class DemoBot:
    """One bot of the demo and the strategy it pins: a form or a program."""

    name: str
    description: str
    starting_capital_cents: int
    strategy: Mapping[str, Any]
    policy: Mapping[str, Any] = field(default_factory=dict)


def _delta(direction: str, right: str, value: float) -> dict[str, Any]:
    strike = {"method": "delta", "value": value}
    return {"direction": direction, "type": right, "qty": 1, "strike": strike}


def _wing(right: str, points: int, leg: int) -> dict[str, Any]:
    strike = {"method": "offset", "value": points, "from": leg}
    return {"direction": "buy", "type": right, "qty": 1, "strike": strike}


PUT_SPREAD_FORM: dict[str, Any] = {
    "legs": [_delta("sell", "put", 0.30), _wing("put", -25, 0)],
    "entry": {"times": ["09:45", "11:00", "12:30", "13:05", "14:00"], "order": "limit_mid"},
    "exit": {"profit_target_pct": 50, "stop_loss_pct": 200, "time": "15:50"},
    "sizing": {"contracts": 1},
}
CONDOR_FORM: dict[str, Any] = {
    "legs": [
        _delta("sell", "put", 0.16),
        _wing("put", -25, 0),
        _delta("sell", "call", 0.16),
        _wing("call", 25, 2),
    ],
    "entry": {"times": ["10:00", "11:30", "13:05", "14:00"], "order": "limit_mid"},
    "exit": {"profit_target_pct": 50, "stop_loss_pct": 200, "time": "15:50"},
    "sizing": {"contracts": 1},
}
WATCHER_PROGRAM = """\
# Watches the day, and opens one small debit spread in the direction the market has taken.

times = ["09:35", "10:30", "13:05", "14:00", "15:00"]


def on_start(ctx):
    ctx.state = {"opened": False, "fills": 0}
    ctx.log("the day begins for this bot", spot=ctx.spot, vix=ctx.vix)


def at(ctx, time):
    move = ctx.spot - ctx.open_spot
    ctx.log("looked at the market", at=time, spot=ctx.spot, move_since_open=round(move, 2))
    if ctx.expected_move is not None and abs(move) > ctx.expected_move / 2:
        ctx.signal("wide_day", move=round(move, 2), expected_move=ctx.expected_move)
    if ctx.state["opened"]:
        ctx.skip("one trade a day is enough")
        return
    kind = "call" if move >= 0 else "put"
    offset = 10 if move >= 0 else -10
    package = ctx.select([buy(kind, atm=True), sell(kind, offset=offset, leg=0)])
    ctx.log("chose the strikes", **package.explain())
    ctx.state["opened"] = ctx.open(
        package,
        profit_target_pct=40,
        stop_loss_pct=50,
        exit_at="15:45",
        name="small debit spread",
    )


def on_fill(ctx, fill):
    ctx.state["fills"] += 1
    ctx.signal("filled", kind=fill.kind, trade=fill.trade, price=fill.price)
"""
BOTS = (
    DemoBot(
        name="30-delta put credit spread",
        description="Sells a 25-point put spread up to five times a day, three of them at once.",
        starting_capital_cents=2_500_000,
        strategy={"config": PUT_SPREAD_FORM},
        policy={"max_daily_loss_pct": "0.1000", "max_open_positions": 3},
    ),
    DemoBot(
        name="16-delta iron condor",
        description="Sells both sides, 25 points wide, and leaves at half the credit.",
        starting_capital_cents=10_000_000,
        strategy={"config": CONDOR_FORM},
    ),
    DemoBot(
        name="Market watcher",
        description="A program: writes down what it sees and opens one small debit spread a day.",
        starting_capital_cents=2_500_000,
        strategy={"program": WATCHER_PROGRAM},
        policy={"max_open_positions": 1},
    ),
)


@transaction.atomic
def seed(*, email: str, password: str, now: datetime) -> User:
    """The demo account with its bots; what is already there stays as it is. WrongDemoPassword."""
    user = account_queries.user_by_email(email)
    if user is None:
        user = User.objects.create_user(email, password)
    elif not user.check_password(password):
        raise WrongDemoPassword(f"{email} exists with another password; give it or another address")
    for wanted in BOTS:
        # One that was renamed or archived by whoever plays with it does not come back twice.
        if not Bot.objects.owned_by(user).filter(name=wanted.name).exists():
            _create(user, wanted, now)
    return user


def _create(user: User, wanted: DemoBot, now: datetime) -> None:
    services.create_bot(
        owner=user,
        strategy_id=_link(user, wanted).pk,
        name=wanted.name,
        description=wanted.description,
        starting_capital_cents=wanted.starting_capital_cents,
        policy=wanted.policy,
        schedule={"auto_start": True},
        now=now,
    )


def _link(user: User, wanted: DemoBot) -> StrategyLink:
    saved = StrategyLink.objects.owned_by(user).filter(name=wanted.name).first()
    return saved or strategy_services.save_strategy(
        owner=user, name=wanted.name, description=wanted.description, **wanted.strategy
    )
