"""The market's days, its clock, and the tick log.

The tick log is the truth a session replays from: (trading date, seq) is unique, seq starts at 1 and
grows by one, and runners read by it. `Tick` is partitioned by trading date in the database (see the
first migration), so a day is dropped as one table.
"""

from __future__ import annotations

from django.db import models


class MarketDay(models.Model):
    """One trading day as this installation's market ran or is running it."""

    class Status(models.TextChoices):
        PRE_OPEN = "pre_open"  # announced; sessions may be scheduled
        OPEN = "open"  # ticks are being written
        CLOSED = "closed"  # no further tick will come; settlement may still be missing

    trading_date = models.DateField(primary_key=True)
    source = models.CharField(max_length=120)  # "synthetic:42", "tape:<digest>", "live:<vendor>"
    source_options = models.JSONField(default=dict)  # what the feed needs to resume this very day
    open_at = models.DateTimeField()
    close_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PRE_OPEN)
    last_seq = models.PositiveIntegerField(default=0)  # moves in the same commit as the ticks
    last_tick_at = models.DateTimeField(null=True, blank=True)  # market time of tick `last_seq`
    settlement_cents = models.BigIntegerField(null=True, blank=True)
    settlement_source = models.CharField(
        max_length=40, blank=True, default=""
    )  # official | last_spot | operator
    tape_digest = models.CharField(max_length=64, blank=True, default="")
    tape_path = models.TextField(blank=True, default="")
    announced_at = models.DateTimeField()  # wall clock
    opened_at = models.DateTimeField(null=True, blank=True)  # wall clock of the first tick
    closed_at = models.DateTimeField(null=True, blank=True)  # wall clock

    def __str__(self) -> str:
        return f"{self.trading_date} ({self.source})"


class Tick(models.Model):
    """One second of market as it was published. `payload` is marketdata.codec's int32 packing."""

    pk = models.CompositePrimaryKey("trading_date", "seq")
    trading_date = models.DateField()
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()  # market time
    received_at = models.DateTimeField()  # market time at which it reached us; lag = received - at
    # The index values of the payload once more, so that a day's line needs no payload.
    spot_cents = models.IntegerField()
    vix_hundredths = models.IntegerField(null=True)
    expected_move_cents = models.IntegerField(null=True)
    payload = models.BinaryField()

    class Meta:
        managed = False  # partitioned by hand in the migrations
        db_table = "marketdata_tick"

    def __str__(self) -> str:
        return f"{self.trading_date} #{self.seq}"


class MarketClock(models.Model):
    """The one row (id 1) that says what time it is on the market. Written by the market process."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    day = models.ForeignKey(MarketDay, null=True, on_delete=models.SET_NULL, related_name="+")
    feed = models.CharField(max_length=120)
    speed = models.FloatField(default=1.0)  # market seconds per wall second
    market_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()  # wall clock; an old one means the feed is down

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_market_clock")]

    def __str__(self) -> str:
        return f"{self.market_at:%Y-%m-%d %H:%M:%S} at {self.speed:g}x"


class MarketControl(models.Model):
    """The one row (id 1) by which an operator steers the market process. No row: leave it alone."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    is_paused = models.BooleanField(default=False)
    steps_left = models.PositiveIntegerField(default=0)  # ticks still to publish while paused
    speed = models.FloatField(null=True)  # market seconds per wall second; null: the process's own
    is_looping = models.BooleanField(default=False)  # a tape begins again, on later dates

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_market_control")]

    def __str__(self) -> str:
        return ", ".join(
            [
                "paused" if self.is_paused else "running",
                f"speed {self.speed:g}" if self.speed else "its own speed",
                "looping" if self.is_looping else "not looping",
            ]
        )
