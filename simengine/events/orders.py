"""The life of an order, from the intent to its last state."""

from __future__ import annotations

from simengine.events.base import Event, event
from simengine.pricing import Legs


@event
class OrderPlaced(Event):
    kind = "order_placed"
    order: int
    order_kind: str
    type: str
    legs: Legs
    units: int
    limit_cents: int | None
    intended_cents: int
    trade: int | None
    reason: str
    mid_half_cents: int | None
    natural_cents: int | None
    margin_effect_cents: int
    buying_power_effect_cents: int


@event
class Repriced(Event):
    """The bot moved its own limit. The steps of an order sum to its last limit less the intended
    one.
    """

    kind = "repriced"
    order: int
    old_cents: int
    new_cents: int
    peg_cents: int
    concession_cents: int
    mid_half_cents: int
    natural_cents: int
    rule: str  # follow | nudge | cap | natural_bound | effect_bound
    replace_count: int


@event
class Replaced(Event):
    """A limit changed on request; id and legs stay."""

    kind = "replaced"
    order: int
    old_cents: int
    new_cents: int
    replace_count: int


@event
class Canceled(Event):
    kind = "canceled"
    order: int
    reason: str


@event
class Expired(Event):
    kind = "expired"
    order: int


@event
class Rejected(Event):
    kind = "rejected"
    order: int
    reason: str


@event
class StopTriggered(Event):
    kind = "stop_triggered"
    order: int
    mid_half_cents: int


@event
class Filled(Event):
    kind = "filled"
    order: int
    order_kind: str
    price_cents: int
    units: int
    fees_cents: int
    trade: int
    mid_half_cents: int
    natural_cents: int


@event
class Refused(Event):
    """An intent that was not let through; no order exists. Limits refuse, they are no errors."""

    kind = "refused"
    code: str
    message: str
