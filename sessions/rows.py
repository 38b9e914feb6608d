"""From engine events to table rows: pure, so a live runner saves what `simulate` shows.

`RowBuilder` turns the events of one session into new rows and into changes of earlier rows. Ids are
derived from the session and the row's ordinal, so writing the same tick twice writes the same rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Model

from common.times import from_ms
from sessions.ids import row_id
from sessions.lifecycle import Status
from sessions.models import (
    Decision,
    Entry,
    Order,
    Position,
    SessionEvent,
    Trade,
    Transaction,
)
from simengine import events as ev
from simengine.execution import leg_action
from simengine.pricing import Legs

# Event indices within a tick: the engine's in order, the settlement's after the closing tick's, and
# a status at 10000 + its place in the list (a session enters each at most once).
SETTLEMENT_INDEX = 1_000
STATUS_INDEX = 10_000

Key = tuple[type[Model], uuid.UUID]


@dataclass
class Rows:
    """New rows and changes, in the order in which they came; a change of a new row is merged
    into it.
    """

    new: dict[Key, Model] = field(default_factory=dict)
    changes: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def add(self, row: Model) -> None:
        self.new[type(row), row.pk] = row

    def change(self, model: type[Model], pk: uuid.UUID, **values: Any) -> None:
        row = self.new.get((model, pk))
        if row is None:
            self.changes.setdefault((model, pk), {}).update(values)
            return
        for name, value in values.items():
            setattr(row, name, value)

    def __bool__(self) -> bool:
        return bool(self.new or self.changes)


class RowBuilder:
    """Rows of one session. `held` are the instruments that have a position row already."""

    def __init__(self, session_id: uuid.UUID, expiry: date, held: Iterable[str] = ()) -> None:
        self.session_id = session_id
        self.expiry = expiry
        self._held = set(held)

    def row_id(self, kind: str, ordinal: int | str) -> uuid.UUID:
        return row_id(self.session_id, kind, ordinal)

    def status_row(
        self, status: Status, *, tick_seq: int, at: datetime, reason: str
    ) -> SessionEvent:
        index = STATUS_INDEX + list(Status).index(status)
        data = {"status": status.value, "reason": reason}
        return self.event_row(index, "status", data, tick_seq=tick_seq, at=at)

    def add_tick(
        self, rows: Rows, tick_seq: int, at: datetime, events: list[ev.Event], first_index: int = 0
    ) -> None:
        """Everything that the events of one tick write."""
        for index, event in enumerate(events, start=first_index):
            data = event.as_json()
            kind = data.pop("kind")
            data = self._with_symbols(event, data)
            rows.add(self.event_row(index, kind, data, tick_seq=tick_seq, at=at))
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, rows, event, tick_seq, at)

    def event_row(
        self, index: int, kind: str, data: dict[str, Any], *, tick_seq: int, at: datetime
    ) -> SessionEvent:
        return SessionEvent(
            id=self.row_id("event", f"{tick_seq}.{index}"),
            session_id=self.session_id,
            tick_seq=tick_seq,
            at=at,
            index=index,
            kind=kind,
            data=data,
        )

    def _with_symbols(self, event: ev.Event, data: dict[str, Any]) -> dict[str, Any]:
        """Contracts and legs by their symbols: what a person reads."""
        if isinstance(event, (ev.Booked, ev.PositionChanged)):
            return {**data, "contract": event.contract.symbol(self.expiry)}
        if isinstance(event, (ev.OrderPlaced, ev.TradeOpened)):
            return {**data, "legs": self._legs(event.legs)}
        return data

    def _legs(self, legs: Legs) -> list[dict[str, Any]]:
        return [
            {"instrument": leg.contract.symbol(self.expiry), "quantity": leg.ratio} for leg in legs
        ]

    def _order_placed(self, rows: Rows, event: ev.OrderPlaced, tick_seq: int, at: datetime) -> None:
        opening = event.order_kind == "opening"
        legs = [
            {
                "instrument": leg.contract.symbol(self.expiry),
                "quantity": abs(leg.ratio) * event.units,
                "action": leg_action(leg.ratio, opening=opening),
            }
            for leg in event.legs
        ]
        rows.add(
            Order(
                id=self.row_id("order", event.order),
                session_id=self.session_id,
                tick_seq=tick_seq,
                at=at,
                number=event.order,
                kind=event.order_kind,
                type=event.type,
                status="pending",
                legs=legs,
                units=event.units,
                price_cents=event.limit_cents,
                intended_cents=event.intended_cents if event.type == "limit" else None,
                trade_number=event.trade,
                margin_effect_cents=event.margin_effect_cents,
                buying_power_effect_cents=event.buying_power_effect_cents,
            )
        )

    def _change_order(self, rows: Rows, number: int, **values: Any) -> None:
        rows.change(Order, self.row_id("order", number), **values)

    def _repriced(self, rows: Rows, event: ev.Repriced, tick_seq: int, at: datetime) -> None:
        self._change_order(
            rows,
            event.order,
            price_cents=event.new_cents,
            concession_cents=event.concession_cents,
            replace_count=event.replace_count,
        )

    def _replaced(self, rows: Rows, event: ev.Replaced, tick_seq: int, at: datetime) -> None:
        self._change_order(
            rows, event.order, price_cents=event.new_cents, replace_count=event.replace_count
        )

    def _canceled(self, rows: Rows, event: ev.Canceled, tick_seq: int, at: datetime) -> None:
        self._change_order(rows, event.order, status="canceled")

    def _expired(self, rows: Rows, event: ev.Expired, tick_seq: int, at: datetime) -> None:
        self._change_order(rows, event.order, status="expired")

    def _rejected(self, rows: Rows, event: ev.Rejected, tick_seq: int, at: datetime) -> None:
        self._change_order(rows, event.order, status="rejected", reject_reason=event.reason)

    def _filled(self, rows: Rows, event: ev.Filled, tick_seq: int, at: datetime) -> None:
        self._change_order(
            rows,
            event.order,
            status="filled",
            fill_price_cents=event.price_cents,
            filled_at=at,
            fees_cents=event.fees_cents,
            trade_number=event.trade,
        )

    def _booked(self, rows: Rows, event: ev.Booked, tick_seq: int, at: datetime) -> None:
        rows.add(
            Transaction(
                id=self.row_id("transaction", event.number),
                session_id=self.session_id,
                tick_seq=tick_seq,
                at=at,
                number=event.number,
                order_number=event.order,
                instrument=event.contract.symbol(self.expiry),
                type=event.type,
                quantity=event.quantity,
                price_cents=event.price_cents,
                value_cents=event.value_cents,
                effect=event.effect,
                fees_cents=event.fees_cents,
            )
        )

    def _position(self, rows: Rows, event: ev.PositionChanged, tick_seq: int, at: datetime) -> None:
        instrument = event.contract.symbol(self.expiry)
        values = {
            "quantity": event.quantity,
            "cost_basis_cents": event.cost_cents,
            "realized_cents": event.realized_cents,
            "fees_cents": event.fees_cents,
            "tick_seq": tick_seq,
            "at": at,
        }
        pk = self.row_id("position", instrument)
        if instrument in self._held:
            rows.change(Position, pk, **values)
            return
        self._held.add(instrument)
        rows.add(Position(id=pk, session_id=self.session_id, instrument=instrument, **values))

    def _trade_opened(self, rows: Rows, event: ev.TradeOpened, tick_seq: int, at: datetime) -> None:
        rows.add(
            Trade(
                id=self.row_id("trade", event.trade),
                session_id=self.session_id,
                tick_seq=tick_seq,
                at=at,
                number=event.trade,
                order_number=event.order,
                legs=self._legs(event.legs),
                units=event.units,
                entry_cents=event.entry_cents,
                exit_rules={
                    "profit_target_bp": event.profit_target_bp,
                    "stop_loss_bp": event.stop_loss_bp,
                    "exit_at_seconds": event.exit_at_seconds,
                    "trailing_stop_bp": event.trailing_stop_bp,
                    "trailing_start_bp": event.trailing_start_bp,
                    "exit_on_touch": event.exit_on_touch,
                },
                status="open",
            )
        )

    def _trade_closed(self, rows: Rows, event: ev.TradeClosed, tick_seq: int, at: datetime) -> None:
        rows.change(
            Trade,
            self.row_id("trade", event.trade),
            status="closed",
            close_reason=event.reason,
            exit_cents=event.exit_cents,
            closed_at=at,
            profit_cents=event.profit_cents,
        )

    def _decision(
        self, rows: Rows, event: ev.Logged | ev.Signalled, tick_seq: int, at: datetime
    ) -> None:
        is_log = isinstance(event, ev.Logged)
        rows.add(
            Decision(
                id=self.row_id("decision", event.number),
                session_id=self.session_id,
                tick_seq=tick_seq,
                at=at,
                number=event.number,
                kind="log" if is_log else "signal",
                name="" if isinstance(event, ev.Logged) else event.name,
                message=event.message if isinstance(event, ev.Logged) else "",
                data=event.data,
            )
        )

    def _entry_planned(
        self, rows: Rows, event: ev.EntryPlanned, tick_seq: int, at: datetime
    ) -> None:
        rows.add(
            Entry(
                id=self.row_id("entry", event.entry),
                session_id=self.session_id,
                tick_seq=tick_seq,
                at=from_ms(event.due_ms),
                number=event.entry,
                outcome="planned",
            )
        )

    def _entry_resolved(
        self, rows: Rows, event: ev.EntryResolved, tick_seq: int, at: datetime
    ) -> None:
        rows.change(
            Entry,
            self.row_id("entry", event.entry),
            outcome=event.outcome,
            reason=event.reason,
            order_number=event.order,
            tick_seq=tick_seq,
        )


_HANDLERS: dict[type[ev.Event], Any] = {
    ev.OrderPlaced: RowBuilder._order_placed,
    ev.Repriced: RowBuilder._repriced,
    ev.Replaced: RowBuilder._replaced,
    ev.Canceled: RowBuilder._canceled,
    ev.Expired: RowBuilder._expired,
    ev.Rejected: RowBuilder._rejected,
    ev.Filled: RowBuilder._filled,
    ev.Booked: RowBuilder._booked,
    ev.PositionChanged: RowBuilder._position,
    ev.TradeOpened: RowBuilder._trade_opened,
    ev.TradeClosed: RowBuilder._trade_closed,
    ev.Logged: RowBuilder._decision,
    ev.Signalled: RowBuilder._decision,
    ev.EntryPlanned: RowBuilder._entry_planned,
    ev.EntryResolved: RowBuilder._entry_resolved,
}
