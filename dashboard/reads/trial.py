"""What a strategy being written would do: its program and, of a form, the trade it would open."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from common.money import parse_usd
from dashboard.payoff import Payoff, payoff
from marketdata import queries as market
from marketdata.queries import NoTicks
from simengine.market import Tick
from simengine.policy import Policy
from strategies.runtime.program import source_hash
from strategies.services import Source
from strategies.whatif import NothingToOpen, WhatIf, what_if

DEFAULT_BALANCE_CENTS = 2_500_000


@dataclass(frozen=True, slots=True)
class Trial:
    """`found` is the trade on the latest chain; where there is none, `reason` says why."""

    source: Source
    balance_cents: int
    tick: Tick | None = None
    found: WhatIf | None = None
    payoff: Payoff | None = None
    reason: str = ""

    @property
    def source_hash(self) -> str:
        return source_hash(self.source.program)

    @property
    def cap_bp(self) -> int:
        """The daily cap a bot has unless told otherwise."""
        return Policy().max_daily_loss_e4

    @property
    def cap_cents(self) -> int:
        return self.balance_cents * self.cap_bp // 10_000

    @property
    def losses_in_cap(self) -> str | None:
        """So many losing trades reach that cap: "2.4"; None where one is more than it."""
        if self.found is None or not 0 < self.found.max_loss_cents <= self.cap_cents:
            return None
        return f"{self.cap_cents / self.found.max_loss_cents:.1f}"

    @property
    def loss_bp(self) -> int | None:
        """One losing trade as hundredths of a percent of the balance."""
        if self.found is None:
            return None
        return self.found.max_loss_cents * 10_000 // self.balance_cents


def try_out(*, user: User, source: Source, balance: str) -> Trial:
    """Saves nothing. `balance` is what was typed as the account's size; nonsense is 25,000."""
    balance_cents = _balance_cents(balance)
    if source.config is None:
        return Trial(source, balance_cents)
    try:
        _, tick = market.latest_tick()
    except NoTicks as refusal:
        return Trial(source, balance_cents, reason=refusal.message)
    try:
        found = what_if(
            source.config, tick, balance_cents=balance_cents, slippage_cents=user.slippage_cents
        )
    except NothingToOpen as nothing:
        return Trial(source, balance_cents, tick, reason=str(nothing))
    drawn = payoff(found, spot_cents=tick.spot_cents)
    return Trial(source, balance_cents, tick, found, drawn)


def _balance_cents(text: str) -> int:
    try:
        cents = parse_usd(text.strip())
    except ValueError:
        return DEFAULT_BALANCE_CENTS
    return cents if cents > 0 else DEFAULT_BALANCE_CENTS
