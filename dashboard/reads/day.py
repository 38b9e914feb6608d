"""One session as its page shows it: trades as spreads, orders with their pegs, what it did.

Marks and profits come from the engine's own `Trade`, so no rule is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from common.money import hundredths
from common.times import NEW_YORK, to_ms
from dashboard.instruments import LegView, instrument_text, legs_of, package_text
from marketdata import queries as market
from marketdata import ticklog
from sessions import queries, shapes
from sessions.hosted import HostedSession, NoStrategy
from sessions.models import BotSession, Decision, Order, SessionEvent, Trade
from sessions.terms import terms_of
from simengine import orders as engine
from simengine.market import CALL, MULTIPLIER, Tick
from simengine.policy import Policy
from simengine.pricing import Leg

LISTED_ELSEWHERE = ("logged", "signalled", "booked", "position_changed", "entry_planned")
LOG = "log"
SIGNAL = "signal"
ROWS_SHOWN = 200  # of each log, the newest


@dataclass(frozen=True, slots=True)
class TradeView:
    """A trade as held. Prices are signed per package, amounts of the whole trade, in cents."""

    row: Trade
    legs: list[LegView]
    mid_half_cents: int | None = None  # None while a leg has no usable quote
    profit_cents: int | None = None  # open: on the mid; closed: booked; before fees
    profit_bp: int | None = None  # hundredths of a percent of the credit received or the debit paid
    short_distance_cents: int | None = None  # spot to the nearest short strike; in the money below
    target_cents: int | None = None
    stop_cents: int | None = None
    exit_at: datetime | None = None
    other_exits: str = ""  # the rules without a level of their own, in words

    @property
    def exit_price_cents(self) -> int | None:
        """What closing one package cost; the row keeps what it was worth as held."""
        return None if self.row.exit_cents is None else -self.row.exit_cents

    @property
    def title(self) -> str:
        return package_text(self.legs)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What of the logs is asked for; empty is everything."""

    decision: str = ""  # log | signal
    event: str = ""  # a kind of event
    text: str = ""  # somewhere in what the strategy said

    @classmethod
    def of(cls, query: Mapping[str, str]) -> LogFilter:
        return cls(query.get("decision", ""), query.get("event", ""), query.get("text", "").strip())


@dataclass(frozen=True, slots=True)
class OrderView:
    row: Order
    legs: list[LegView]
    peg_cents: int | None  # the quoted mid the resting limit was last set from
    cap_cents: int | None  # the largest concession; None where there is none
    nudge_at_ms: int | None = None  # when it concedes next, if the mid stays flat until then

    @property
    def title(self) -> str:
        return package_text(self.legs)

    @property
    def nudge_at_seconds(self) -> int | None:
        """Unix seconds."""
        return None if self.nudge_at_ms is None else self.nudge_at_ms // 1000


def trades_of(session: BotSession) -> list[TradeView]:
    """Every trade in the order of opening; open ones against the latest tick."""
    rows = list(session.trades.order_by("number"))
    is_any_open = any(row.status == "open" for row in rows)
    tick = ticklog.last_tick(session.trading_date) if is_any_open else None
    return [
        _open_trade(session, row, tick) if row.status == "open" else _closed(row) for row in rows
    ]


def orders_of(session: BotSession) -> list[OrderView]:
    """Newest first."""
    rows = list(queries.orders_of(session=session.pk).queryset().reverse()[:ROWS_SHOWN])
    working = [row.number for row in rows if row.status == "pending"]
    pegs = _pegs(session, working)
    cap_cents = _opening_cap_cents(session)
    nudges = _nudges(session) if working else {}
    return [
        OrderView(
            row=row,
            legs=legs_of(row.legs),
            peg_cents=pegs.get(row.number, row.intended_cents),
            cap_cents=cap_cents if row.kind == engine.OPENING else None,
            nudge_at_ms=nudges.get(row.number),
        )
        for row in rows
    ]


def positions_of(session: BotSession) -> list[dict[str, Any]]:
    """The API's positions, each with its contract in a trader's words."""
    return [
        {
            "text": instrument_text(marked.position.instrument),
            **shapes.position_object(marked.position, marked.mark_half_cents, marked.delta_e4),
        }
        for marked in queries.marked_positions(session)
    ]


def decisions_of(session: BotSession, wanted: LogFilter) -> list[Decision]:
    """The strategy's own words, newest first."""
    rows = session.decisions.order_by("-number")
    if wanted.decision in (LOG, SIGNAL):
        rows = rows.filter(kind=wanted.decision)
    if wanted.text:
        said = Q(message__icontains=wanted.text) | Q(name__icontains=wanted.text)
        rows = rows.annotate(data_text=Cast("data", TextField())).filter(
            said | Q(data_text__icontains=wanted.text)
        )
    return list(rows[:ROWS_SHOWN])


def events_of(session: BotSession, wanted: LogFilter) -> list[SessionEvent]:
    """What the runner did, newest first, without what has a list of its own."""
    rows = session.events.exclude(kind__in=LISTED_ELSEWHERE)
    if wanted.event:
        rows = rows.filter(kind=wanted.event)
    return list(rows.order_by("-tick_seq", "-index")[:ROWS_SHOWN])


def event_kinds_of(session: BotSession) -> list[str]:
    """The kinds there are to choose from."""
    rows = session.events.exclude(kind__in=LISTED_ELSEWHERE).order_by("kind")
    return list(rows.values_list("kind", flat=True).distinct())


def _open_trade(session: BotSession, row: Trade, tick: Tick | None) -> TradeView:
    trade = _as_engine(row)
    quote = trade.package.quote(tick, opening=False) if tick else None
    profit_cents = trade.profit_cents(quote.mid_half_cents) if quote else None
    rules = trade.exit_rules
    return TradeView(
        row=row,
        legs=legs_of(row.legs),
        mid_half_cents=quote.mid_half_cents if quote else None,
        profit_cents=profit_cents,
        profit_bp=_share_bp(profit_cents, trade.base_cents()),
        short_distance_cents=_short_distance_cents(trade, tick) if tick else None,
        target_cents=_part_cents(trade.base_cents(), rules.profit_target_bp),
        stop_cents=_part_cents(-trade.base_cents(), rules.stop_loss_bp),
        exit_at=_new_york(session, rules.exit_at_seconds),
        other_exits=_in_words(rules),
    )


def _in_words(rules: engine.ExitRules) -> str:
    words = []
    if rules.trailing_stop_bp is not None:
        start = rules.trailing_start_bp
        begins = f" once {hundredths(start)} % ahead" if start else ""
        words.append(f"trails {hundredths(rules.trailing_stop_bp)} % behind{begins}")
    if rules.exit_on_touch:
        words.append("on touch of a sold strike")
    return ", ".join(words)


def _closed(row: Trade) -> TradeView:
    base_cents = abs(row.entry_cents) * row.units * MULTIPLIER
    return TradeView(
        row=row,
        legs=legs_of(row.legs),
        profit_cents=row.profit_cents,
        profit_bp=_share_bp(row.profit_cents, base_cents),
    )


def _as_engine(row: Trade) -> engine.Trade:
    return engine.Trade(
        number=row.number,
        order_number=row.order_number,
        legs=tuple(Leg(leg.contract, leg.quantity) for leg in legs_of(row.legs)),
        units=row.units,
        entry_cents=row.entry_cents,
        opened_at_ms=to_ms(row.at),
        exit_rules=engine.ExitRules(**row.exit_rules),
    )


def _short_distance_cents(trade: engine.Trade, tick: Tick) -> int | None:
    """From spot to the nearest sold strike, negative once it is in the money; None without one."""
    distances = [
        (1 if leg.contract.right == CALL else -1) * (leg.contract.strike_cents - tick.spot_cents)
        for leg in trade.legs
        if leg.ratio < 0
    ]
    return min(distances, default=None)


def _share_bp(part_cents: int | None, base_cents: int) -> int | None:
    return None if part_cents is None or not base_cents else part_cents * 10_000 // base_cents


def _part_cents(base_cents: int, share_bp: int | None) -> int | None:
    return None if share_bp is None else base_cents * share_bp // 10_000


def _new_york(session: BotSession, seconds: int | None) -> datetime | None:
    """A New York second of the session's day as a time."""
    if seconds is None:
        return None
    day = datetime.combine(session.trading_date, time(), NEW_YORK)
    return (day + timedelta(seconds=seconds)).astimezone(UTC)


def _pegs(session: BotSession, numbers: list[int]) -> dict[int, int]:
    """The peg of each order's latest re-price."""
    events = session.events.filter(kind="repriced", data__order__in=numbers)
    return {
        event.data["order"]: event.data["peg_cents"]
        for event in events.order_by("tick_seq", "index")
    }


def _nudges(session: BotSession) -> dict[int, int]:
    """When each working order concedes next. The engine knows: its state is taken from where the
    runner last wrote it through the quiet ticks since, on which no program did anything.
    """
    stored = BotSession.objects.get(pk=session.pk)
    day = market.day(session.trading_date)
    if stored.state is None or day is None:
        return {}
    terms = terms_of(stored, open_at=day.open_at, close_at=day.close_at)
    hosted = HostedSession(stored, terms, NoStrategy())
    hosted.replay(
        ticklog.read(day.trading_date, stored.state_seq, stored.last_tick_seq - stored.state_seq)
    )
    due = {}
    for order in hosted.state.orders.values():
        block = terms.policy.opening if order.is_opening else terms.policy.closing
        if order.type == engine.LIMIT and block.enabled:
            due[order.number] = order.window_at_ms + block.nudge_after_seconds * 1000
    return due


def _opening_cap_cents(session: BotSession) -> int | None:
    return Policy.from_json(session.policy).opening.max_concession_cents if session.policy else None
