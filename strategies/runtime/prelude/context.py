"""`ctx`: what a program sees of the market and of its own account, and what it may do.

Domain.md section 9. Actions are collected in emission order and carried out by the engine after the
call.
"""

from __future__ import annotations

from typing import Any

from strategies.runtime.prelude.arguments import (
    fitting,
    one_of,
    percent,
    seconds_of,
    signed_limit,
    text,
    touch,
    trailing_start,
    whole,
)
from strategies.runtime.prelude.legs import Package, check_specs, normal_spec, select
from strategies.runtime.prelude.quotes import Chain, Quote, points, scaled
from strategies.runtime.prelude.strikes import choose
from strategies.runtime.prelude.values import ClosedTrade, Generator, Order, Trade

MESSAGE_LIMIT = 1000
NAME_LIMIT = 80
ENTRY_LIMIT = 100
ACTION_LIMIT = 100


class Ctx:
    """Everything of one call. Points and dollars are floats for reading; `*_cents` are exact."""

    def __init__(self, view: dict[str, Any], hook: str = "") -> None:
        self.hook = hook
        self.view = view
        self.actions: list[dict[str, Any]] = []
        self.entries_logged = 0
        self.entries_cut = 0
        self.lazy_chain: Chain | None = None
        self.generator: Generator | None = None
        self.state: Any = view["state"]
        self._read_market(view)
        self._read_account(view)

    def _read_market(self, view: dict[str, Any]) -> None:
        seconds = view["seconds_of_day"]
        self.time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        self.date = view["date"]
        self.weekday = view["weekday"]
        self.seconds_since_open = view["seconds_since_open"]
        self.seconds_to_close = view["seconds_to_close"]
        self.spot_cents = view["spot_cents"]
        self.spot = view["spot_cents"] / 100
        self.open_spot_cents = view["open_spot_cents"]
        self.open_spot = view["open_spot_cents"] / 100
        vix = view["vix_hundredths"]
        self.vix = None if vix is None else vix / 100
        move = view["expected_move_cents"]
        self.expected_move_cents = move
        self.expected_move = None if move is None else move / 100

    def _read_account(self, view: dict[str, Any]) -> None:
        self.cash_cents = view["cash_cents"]
        self.available_buying_power_cents = view["available_buying_power_cents"]
        self.nlv_cents = view["nlv_cents"]
        self.day_pl_cents = view["day_pl_cents"]
        self.opening_balance_cents = view["opening_balance_cents"]
        self.max_open_positions = view["max_open_positions"]
        self.max_open_orders = view["max_open_orders"]
        self.trades = [Trade(raw) for raw in view["trades"]]
        self.closed_trades = [ClosedTrade(raw) for raw in view["closed_trades"]]
        self.orders = [Order(raw) for raw in view["orders"]]
        opening = [order for order in self.orders if order.kind == "opening"]
        # Entries of today that became a trade or still may.
        self.entries = len(self.trades) + len(self.closed_trades) + len(opening)

    def __repr__(self) -> str:
        return f"ctx at {self.time}"

    # What it sees

    def chain(self) -> Chain:
        if self.lazy_chain is None:
            self.lazy_chain = Chain(self.view)
        return self.lazy_chain

    def strikes(self) -> list[int | float]:
        """The listed strikes in points, ascending."""
        return [points(strike) for strike in self.chain().strikes]

    def quote(self, kind: str, strike: int | float | None = None) -> Quote | None:
        """The quote of `("put", 5950)` or of a 21-character symbol; None if it is not listed."""
        if strike is None:
            if len(kind) != 21 or kind[12] not in "CP":
                raise ValueError('quote() takes a type and a strike, or "SPXW  260507P05950000"')
            right = "call" if kind[12] == "C" else "put"
            is_today = kind[6:12] == self.date[2:4] + self.date[5:7] + self.date[8:10]
            return self.chain().quote(right, int(kind[13:]) // 10) if is_today else None
        if kind not in ("call", "put"):
            raise ValueError('the type of a quote is "call" or "put"')
        return self.chain().quote(kind, scaled(strike, 100, "strike"))

    def find(self, leg: dict[str, Any]) -> Quote | None:
        """The quote one leg would choose: `ctx.find(sell("put", delta=0.30))`. None: no strike."""
        spec = normal_spec(leg)
        check_specs([spec])
        if spec["strike"]["method"] == "offset":
            raise ValueError("an offset needs the leg it counts from: use ctx.select()")
        chain = self.chain()
        return choose(chain, spec["direction"], spec["type"], spec["strike"], None).quote

    def select(self, legs: list[dict[str, Any]]) -> Package:
        """Choose the strikes of `[sell(...), buy(...)]`. Look at the package's `found` first."""
        specs = [normal_spec(leg) for leg in legs]
        check_specs(specs)
        return select(self.chain(), specs)

    def max_loss(self, package: Package) -> float | None:
        """Dollars one package can lose at settlement; None without a package or without a bound."""
        loss_cents = package.max_loss_cents
        return None if loss_cents is None else loss_cents / 100

    def contracts_for_risk(self, package: Package, risk_pct: Any) -> int:
        """How many packages risk at most `risk_pct` % of the session's opening balance; 0: none."""
        if not package.found:
            return 0
        if package.max_loss_cents is None:
            raise ValueError("the risk of this package is not defined: a sold call is not covered")
        budget = self.opening_balance_cents * scaled(risk_pct, 10000, "risk_pct") // 1000000
        most = 10000 // sum(leg.qty for leg in package.legs)  # the engine's limit for one order
        wanted: int = max(0, budget) // max(1, package.max_loss_cents)
        return min(most, wanted)

    def random(self) -> float:
        """At least 0, below 1; the same on every run of the same session and tick."""
        if self.generator is None:
            self.generator = Generator(self.view["random_seed"])
        return self.generator.next_float()

    # What it does

    def open(
        self,
        legs: list[dict[str, Any]] | Package,
        limit: Any = None,
        contracts: int = 1,
        order: str = "limit",
        profit_target_pct: int | float | None = None,
        stop_loss_pct: int | float | None = None,
        exit_at: str | None = None,
        name: str = "",
        trailing_stop_pct: int | float | None = None,
        trailing_start_pct: int | float | None = None,
        exit_on_touch: bool = False,
    ) -> bool:
        """Ask for an opening order; True if it was asked for, False if a strike could not be chosen
        (which is logged, and inside `at` is the entry's reason).

        `limit` is a positive amount per unit, taken as a credit or a debit as the package's mid is;
        None is the quoted mid. The exit rules belong to the trade and are the engine's to check.
        """
        package = legs if isinstance(legs, Package) else self.select(legs)
        if not package.found:
            if self.hook == "at":
                self.skip(package.reason)
            else:
                self.log(f"not opened: {package.reason}")
            return False
        self._act(
            {
                "do": "open",
                "legs": package.ratios(),
                "contracts": whole(contracts, "contracts") * package.units,
                "order": one_of(order, ("limit", "market", "stop"), "order"),
                "limit_cents": signed_limit(package, limit),
                "profit_target_pct": percent(profit_target_pct, "profit_target_pct"),
                "stop_loss_pct": percent(stop_loss_pct, "stop_loss_pct"),
                "trailing_stop_pct": percent(trailing_stop_pct, "trailing_stop_pct"),
                "trailing_start_pct": trailing_start(trailing_start_pct, trailing_stop_pct),
                "exit_on_touch": touch(exit_on_touch, package),
                "exit_at_seconds": None if exit_at is None else seconds_of(exit_at),
                "name": text(name, NAME_LIMIT),
            }
        )
        return True

    def close(self, trade: Trade | int, order: str = "limit") -> None:
        """Close a trade (or its number): a limit at the quoted mid, re-priced until it fills."""
        number = trade if isinstance(trade, int) else trade.number
        order = one_of(order, ("limit", "market"), "order")
        self._act({"do": "close", "trade": number, "order": order})

    def cancel(self, order: Order | int) -> None:
        """Cancel a pending order (or its number)."""
        self._act({"do": "cancel", "order": order if isinstance(order, int) else order.number})

    def log(self, message: object, **data: object) -> None:
        """A line of the decision log, with what it was decided on."""
        self._note({"do": "log", "message": text(message, MESSAGE_LIMIT), "data": fitting(data)})

    def signal(self, name: object, **data: object) -> None:
        """A named mark of the decision log, for charts and alerts."""
        self._note({"do": "signal", "name": text(name, NAME_LIMIT), "data": fitting(data)})

    def skip(self, reason: object) -> None:
        """Inside `at`: say why this entry opens nothing. The first reason counts."""
        if self.hook != "at":
            raise RuntimeError("skip() belongs in at(): it is a scheduled entry that is skipped")
        self._act({"do": "skip", "reason": text(reason, MESSAGE_LIMIT)})

    def _act(self, action: dict[str, Any]) -> None:
        done = len(self.actions) - self.entries_logged
        if done >= ACTION_LIMIT:
            raise RuntimeError(f"more than {ACTION_LIMIT} actions in one call")
        self.actions.append(action)

    def _note(self, entry: dict[str, Any]) -> None:
        if self.entries_logged < ENTRY_LIMIT:
            self.entries_logged += 1
            self.actions.append(entry)
        else:
            self.entries_cut += 1

    def finish(self) -> list[dict[str, Any]]:
        """The actions, with a line at the end for what was cut."""
        if self.entries_cut:
            message = f"{self.entries_cut} more log entries were cut: at most {ENTRY_LIMIT} a call"
            self.actions.append(
                {"do": "log", "message": message, "data": {"cut": self.entries_cut}}
            )
        return self.actions
