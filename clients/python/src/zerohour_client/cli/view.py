"""What is known of a session while it is followed, and how that looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from zerohour_client.cli.printing import clock, instrument, money, price, table
from zerohour_client.cli.reads import compact, legs, limit
from zerohour_client.models import (
    Bot,
    Decision,
    Financial,
    Order,
    Position,
    Session,
    SessionData,
    StatusChange,
    Transaction,
)

LINES_SHOWN = 10
POINTS_SHOWN = 48
MINUTE_SECONDS = 60
BARS = "▁▂▃▄▅▆▇█"


class SessionView:
    """Fed with the stream's events; gives lines to print, or the whole picture."""

    def __init__(self, bot: Bot, session: Session) -> None:
        self.bot = bot
        self.session = session
        self.has_begun = False
        self._status = ""
        self._financial: Financial | None = None
        self._positions: dict[str, Position] = {}
        self._orders: dict[UUID, Order] = {}
        self._lines: deque[str] = deque(maxlen=LINES_SHOWN)
        self._minutes: deque[tuple[int, Decimal]] = deque(maxlen=POINTS_SHOWN)

    def begin(self, positions: Iterable[Position], orders: Iterable[Order]) -> None:
        """What was there before the stream."""
        self.has_begun = True
        self.hold(positions)
        self._orders = {each.id: each for each in orders}

    def hold(self, positions: Iterable[Position]) -> None:
        """All positions, at the prices of now."""
        self._positions = {each.instrument: each for each in positions}

    @property
    def is_holding(self) -> bool:
        return any(each.quantity for each in self._positions.values())

    def apply(self, data: SessionData) -> list[str]:
        """Take in one event; the lines that tell of it, often none."""
        lines = [f"{clock(self._time(data))}  {what}" for what in self._news(data)]
        self._lines.extend(lines)
        return lines

    def render(self) -> RenderableType:
        parts: list[RenderableType] = [self._head(), self._money()]
        held = [each for each in self._positions.values() if each.quantity]
        working = [each for each in self._orders.values() if each.status == "pending"]
        parts += [self._position_table(held)] if held else []
        parts += [self._order_table(working)] if working else []
        parts += [Text(line) for line in self._lines]
        return Group(*(Padding(part, (0, 1)) for part in parts))

    def _news(self, data: SessionData) -> list[str]:
        if isinstance(data, Order):
            return self._order_news(data)
        if isinstance(data, Financial):
            self._take_financial(data)
        elif isinstance(data, Position):
            self._positions[data.instrument] = data
        elif isinstance(data, Session):
            self.session = data
            return self._status_news(data.status, data.status_reason)
        elif isinstance(data, StatusChange):
            return self._status_news(data.status, data.reason)
        elif isinstance(data, Decision):
            return [_decision(data)]
        elif isinstance(data, Transaction) and data.order_id is None:
            what = f"{data.type} of {data.quantity} {instrument(data.instrument)}"
            return [f"{what}: {money(data.value)} {data.effect}, fees {money(data.fees)}"]
        return []

    def _status_news(self, status: str, reason: str | None) -> list[str]:
        if status == self._status:
            return []
        self._status = status
        return [f"{status.replace('_', ' ')}{f': {reason}' if reason else ''}"]

    def _order_news(self, order: Order) -> list[str]:
        """One line if something of it changed that a person would tell."""
        before = self._orders.get(order.id)
        self._orders[order.id] = order
        what = {"opening": "entry", "closing": "exit"}[order.kind]
        if order.status != "pending":
            if before is not None and before.status == order.status:
                return []
            at = f" at {price(order.fill_price)}" if order.status == "filled" else ""
            why = f": {order.reject_reason}" if order.reject_reason else ""
            return [f"{what} {order.status}{at}{why} ({legs(order)})"]
        if before is None:
            return [f"{what} placed at {limit(order)} ({legs(order)})"]
        if before.price != order.price:
            return [f"{what} re-priced from {price(before.price)} to {limit(order)}"]
        return []

    def _take_financial(self, point: Financial) -> None:
        self._financial = point
        minute = int(point.datetime.timestamp()) // MINUTE_SECONDS
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes.pop()
        self._minutes.append((minute, point.profit_loss))

    def _time(self, data: SessionData) -> datetime | None:
        """The market's time of an event."""
        if isinstance(data, Order):
            return data.fill_datetime or self._now() or data.placed_at
        if isinstance(data, Session):
            return data.ended_at or self._now() or data.created_at
        return getattr(data, "datetime", None)

    def _now(self) -> datetime | None:
        return self._financial.datetime if self._financial else self.session.last_tick_at

    def _head(self) -> Text:
        session = self.session
        head = Text.from_markup(f"[bold]{escape(self.bot.name)}[/]  {session.date}  ")
        style = "green" if session.status == "running" else "yellow"
        head.append((self._status or session.status).replace("_", " "), style=style)
        head.append(f"  {clock(self._now())} New York")
        return head

    def _money(self) -> Text:
        point = self._financial
        if point is None:
            return Text("waiting for the first second …", style="dim")
        line = Text("P&L ")
        style = "bold red" if point.profit_loss < 0 else "bold green"
        line.append(money(point.profit_loss), style=style)
        line.append(
            f"  NLV {money(point.net_liquidation_value)}  cash {money(point.cash)}"
            f"  fees {money(point.fees)}  "
        )
        line.append(sparkline([value for _, value in self._minutes]), style="cyan")
        return line

    def _position_table(self, held: list[Position]) -> RenderableType:
        made = table("holds", "qty", "price", "P&L", right=("qty", "price", "P&L"))
        for each in held:
            sign = "-" if each.direction == "short" else ""
            amount = money(each.unrealized_profit_loss)
            made.add_row(
                instrument(each.instrument), f"{sign}{each.quantity}", price(each.price), amount
            )
        return made

    def _order_table(self, working: list[Order]) -> RenderableType:
        made = table("works", "limit", "conceded", right=("limit", "conceded"))
        for each in working:
            made.add_row(legs(each), limit(each), price(each.concession))
        return made


def sparkline(values: list[Decimal]) -> str:
    """One bar a value, the lowest to the highest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return BARS[0] * len(values)
    top = len(BARS) - 1
    return "".join(BARS[round((value - low) / (high - low) * top)] for value in values)


def _decision(data: Decision) -> str:
    what = f"signal {data.name}" if data.kind == "signal" else str(data.message)
    return f"{what} ({compact(data.data)})" if data.data else what
