"""One trading day of a bot, and everything that is written while it runs.

Rows below a session are append-only and carry (session, tick, index) or an ordinal unique per
session, behind the fence of `BotSession.epoch` (architecture section 4). Money is integer cents; a
price is signed from our side: a debit is positive, a credit negative (domain.md section 5).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from sessions.lifecycle import LIVE, Status


class BotSessionQuerySet(models.QuerySet["BotSession"]):
    def owned_by(self, user: Any) -> BotSessionQuerySet:
        return self.filter(bot__owner=user)

    def live(self) -> BotSessionQuerySet:
        return self.filter(status__in=sorted(LIVE))

    def unfinished(self) -> BotSessionQuerySet:
        """Still to be driven by a runner: live, or ended with its books open until the close."""
        return self.filter(settled_at__isnull=True)

    def settled(self) -> BotSessionQuerySet:
        return self.filter(settled_at__isnull=False)


class BotSession(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bot = models.ForeignKey("bots.Bot", on_delete=models.CASCADE, related_name="sessions")
    trading_date = models.DateField()
    status = models.CharField(max_length=16, choices=Status.choices)
    status_reason = models.TextField(null=True, blank=True)

    # Frozen when the session leaves `registering`; a re-run needs exactly these.
    strategy = models.ForeignKey("strategies.Strategy", on_delete=models.PROTECT, related_name="+")
    strategy_name = models.CharField(max_length=80)
    policy = models.JSONField(null=True)
    opening_balance_cents = models.BigIntegerField(null=True)
    fee_schedule = models.JSONField(null=True)  # {"open_cents", "close_cents", "exercise_cents"}
    slippage_cents = models.PositiveIntegerField(null=True)
    engine_version = models.CharField(max_length=20, blank=True, default="")
    tape_digest = models.CharField(max_length=64, blank=True, default="")  # once the day is packed
    first_seq = models.PositiveIntegerField(default=1)  # the first tick that is this session's

    # Who runs it, and how far it is. `state` is the engine's snapshot after tick
    # `state_seq`; nothing but re-pricing happened on the ticks from there to `last_tick_seq`.
    owner = models.UUIDField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    state = models.JSONField(null=True)
    state_seq = models.PositiveIntegerField(default=0)  # quiet ticks after it are replayed
    takeovers = models.PositiveIntegerField(default=0)
    poison_seq = models.PositiveIntegerField(null=True, blank=True)  # the tick owners died at
    poison_count = models.PositiveIntegerField(default=0)

    error_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()  # market time, like every *_at a client sees
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    # Wall clock at which retention let go of its per-second line and its events (DETAIL_DAYS).
    trimmed_at = models.DateTimeField(null=True, blank=True)

    # The roll-up: null until the session finalises.
    final_nlv_cents = models.BigIntegerField(null=True)
    realized_pl_cents = models.BigIntegerField(null=True)
    total_pl_cents = models.BigIntegerField(null=True)
    total_fees_cents = models.BigIntegerField(null=True)
    max_intraday_dd_cents = models.BigIntegerField(null=True)
    max_intraday_dd_bp = models.IntegerField(null=True)  # hundredths of a percent of the peak
    peak_nlv_cents = models.BigIntegerField(null=True)
    trough_nlv_cents = models.BigIntegerField(null=True)
    order_count = models.PositiveIntegerField(null=True)
    fill_count = models.PositiveIntegerField(null=True)

    # What a quiet tick moves stands together at the end of the row and in no index: PostgreSQL then
    # updates the row where it is and logs these bytes alone.
    lease_until = models.DateTimeField(null=True, blank=True)
    last_tick_seq = models.PositiveIntegerField(default=0)
    last_tick_at = models.DateTimeField(null=True, blank=True)
    tick_count = models.PositiveIntegerField(default=0)
    tail = models.BinaryField(default=b"")  # its newest seconds (sessions.financials)

    objects = BotSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bot", "trading_date"], name="one_session_per_bot_per_day"
            ),
            models.UniqueConstraint(
                fields=["bot"],
                condition=Q(status__in=sorted(LIVE)),
                name="one_live_session_per_bot",
            ),
        ]
        indexes = [
            # claim() and the watchers look through these every few seconds.
            models.Index(
                fields=["created_at", "id"],
                name="unfinished_sessions",
                condition=Q(settled_at=None),
            ),
            models.Index(  # stamp_tapes()
                fields=["trading_date"],
                name="settled_without_tape",
                condition=Q(tape_digest="", settled_at__isnull=False),
            ),
            # Operators' lists, the roll-up of a day, the metrics of today.
            models.Index(
                fields=["-trading_date", "-created_at", "-id"], name="sessions_newest_first"
            ),
            models.Index(  # an operator's filter; few sessions end so
                fields=["status", "-trading_date", "-created_at", "-id"],
                name="sessions_that_were_ended",
                condition=Q(status__in=["failed", "halted", "killed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bot_id} on {self.trading_date}"

    @property
    def is_terminal(self) -> bool:
        return Status(self.status) not in LIVE


class SessionRow(models.Model):
    """What every row written under a session has: a derived id, its session, market time."""

    id = models.UUIDField(primary_key=True)  # uuid5 of session, kind and ordinal
    at = models.DateTimeField()
    tick_seq = models.PositiveIntegerField()

    class Meta:
        abstract = True


class Order(SessionRow):
    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="orders")
    number = models.PositiveIntegerField()  # 1, 2, 3 … in the order of placement
    kind = models.CharField(max_length=7)  # opening | closing
    type = models.CharField(max_length=6)  # market | limit | stop
    status = models.CharField(max_length=8)  # pending | filled | canceled | expired | rejected
    legs = (
        models.JSONField()
    )  # [{"instrument", "quantity", "action"}], quantities of the whole order
    units = models.PositiveIntegerField()  # packages; prices are per package
    price_cents = models.IntegerField(
        null=True
    )  # resting limit or trigger, signed; null for market
    intended_cents = models.IntegerField(null=True)
    concession_cents = models.IntegerField(default=0)
    replace_count = models.PositiveIntegerField(default=0)
    trade_number = models.PositiveIntegerField(null=True)
    fill_price_cents = models.IntegerField(null=True)
    filled_at = models.DateTimeField(null=True)
    fees_cents = models.IntegerField(default=0)
    reject_reason = models.TextField(null=True)
    margin_effect_cents = models.BigIntegerField(default=0)
    buying_power_effect_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="order_number_once")
        ]


class Trade(SessionRow):
    """A filled opening order and what became of it. `at` and `tick_seq` are the opening's."""

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="trades")
    number = models.PositiveIntegerField()
    order_number = models.PositiveIntegerField()
    legs = models.JSONField()  # [{"instrument", "quantity"}], signed, of one package
    units = models.PositiveIntegerField()
    entry_cents = models.IntegerField()  # per package, signed
    exit_rules = models.JSONField(default=dict)
    status = models.CharField(max_length=6)  # open | closed
    close_reason = models.CharField(max_length=40, blank=True, default="")
    exit_cents = models.IntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    profit_cents = models.BigIntegerField(null=True)  # before fees

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="trade_number_once")
        ]


class Position(SessionRow):
    """Per instrument, pooled over trades; moves with fills and settlement only. Marks are in the
    state.
    """

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="positions")
    instrument = models.CharField(max_length=21)
    quantity = models.IntegerField()  # signed; 0 once closed
    cost_basis_cents = models.BigIntegerField()  # signed, of the open quantity
    realized_cents = models.BigIntegerField(default=0)
    fees_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "instrument"], name="position_once")
        ]


class Transaction(SessionRow):
    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="transactions")
    number = models.PositiveIntegerField()
    order_number = models.PositiveIntegerField(null=True)  # null for settlement
    instrument = models.CharField(max_length=21)
    type = models.CharField(max_length=16)
    quantity = models.PositiveIntegerField()
    price_cents = models.BigIntegerField()  # per contract, with the ×100
    value_cents = models.BigIntegerField()  # price × quantity
    effect = models.CharField(max_length=6)  # debit | credit
    fees_cents = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="transaction_number_once")
        ]


class Decision(SessionRow):
    """The strategy's own words, in emission order."""

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="decisions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=6)  # log | signal
    name = models.CharField(max_length=120, blank=True, default="")
    message = models.TextField(blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="decision_number_once")
        ]


class SessionEvent(SessionRow):
    """Everything the engine and the runner did, one row an event: the audit trail and the
    stream.
    """

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="events")
    index = models.PositiveIntegerField()  # within the tick; see sessions.rows for the ranges
    kind = models.CharField(max_length=30)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "tick_seq", "index"], name="event_once")
        ]
        indexes = [  # what alerts are made from: few of very many
            models.Index(
                fields=["session", "at"],
                name="events_that_are_told",
                condition=Q(kind__in=["status", "filled"]),
            )
        ]


class Entry(SessionRow):
    """One scheduled entry and its one outcome. `at` is when it was due."""

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12)  # planned | working | filled | unfilled | skipped | …
    reason = models.TextField(blank=True, default="")
    order_number = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="entry_number_once")
        ]


class FinancialChunk(models.Model):
    """Some consecutive seconds of one session's line, packed (see sessions.financials).

    Written once, when the tail of the session's row is full, and folded into one chunk when the
    session settles; never grown in place.
    """

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="financials")
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    points = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "first_seq"], name="financial_chunk_once")
        ]


class SessionRequest(models.Model):
    """A wish of a client. The owner obeys it between two ticks and writes down before which."""

    class Kind(models.TextChoices):
        KILL = "kill"
        KILL_FLAT = "kill_flat"  # close positions at market first
        CANCEL_ALL = "cancel_all"

    session = models.ForeignKey(BotSession, on_delete=models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()  # market time
    obeyed_seq = models.PositiveIntegerField(null=True, blank=True)  # the tick it took effect at

    class Meta:
        indexes = [
            models.Index(fields=["session"], name="open_requests", condition=Q(obeyed_seq=None))
        ]


class TradingHalt(models.Model):
    """The kill switch: while a row has no `lifted_at` every session is stopped and none starts.

    Append-only but for its lifting; the rows are the record of who halted trading, when and why.
    """

    reason = models.TextField()
    is_flattening = models.BooleanField(default=False)  # close positions at market first
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    ordered_at = models.DateTimeField()  # wall clock
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)  # wall clock
    lift_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(lifted_at=None), name="one_trading_halt_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.reason


class DayRollUp(models.Model):
    """All sessions of a day that is over and settled, in one row."""

    trading_date = models.DateField(primary_key=True)
    session_count = models.PositiveIntegerField()
    completed_count = models.PositiveIntegerField()
    halted_count = models.PositiveIntegerField()
    killed_count = models.PositiveIntegerField()
    failed_count = models.PositiveIntegerField()
    win_count = models.PositiveIntegerField()
    loss_count = models.PositiveIntegerField()
    total_pl_cents = models.BigIntegerField()
    total_fees_cents = models.BigIntegerField()
    order_count = models.PositiveIntegerField()
    fill_count = models.PositiveIntegerField()
    error_count = models.PositiveIntegerField()
    takeover_count = models.PositiveIntegerField()
    made_at = models.DateTimeField()  # wall clock

    def __str__(self) -> str:
        return str(self.trading_date)
