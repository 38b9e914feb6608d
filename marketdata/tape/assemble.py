"""From the rows of a text file to a tape: the rules all importers of rows share.

Rows are in time order, those of one moment are one snapshot with one spot, and a contract is in a
snapshot once. A row that breaks this is refused with its line and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from common.times import from_ms, rfc3339
from marketdata.tape.build import Snapshot
from marketdata.tape.fields import Place, shown
from marketdata.tape.model import OFFICIAL, Tape, digest_of
from simengine.market import CALL, PUT, Tick


@dataclass(frozen=True, slots=True)
class Columns:
    """What a format calls the time of a row and the spot in it."""

    time: str
    spot: str

    def snapshot(
        self, place: Place, current: Snapshot | None, at_ms: int, spot_cents: int
    ) -> Snapshot:
        """The snapshot a row belongs to: the current one, or a new one."""
        if current is None or at_ms > current.at_ms:
            return Snapshot(at_ms, spot_cents)
        if at_ms < current.at_ms:
            earliest = rfc3339(from_ms(current.at_ms))
            raise place.refuse(self.time, f"rows in time order, {earliest} or later")
        if spot_cents != current.spot_cents:
            raise place.refuse(self.spot, f"the same value in all rows of one {self.time}")
        return current

    def put(
        self,
        place: Place,
        snapshot: Snapshot,
        contract: tuple[str, int],
        quote: tuple[int, int, int | None],
    ) -> None:
        """The quote of a contract (right, strike in cents) into its snapshot."""
        right, strike_cents = contract
        side = snapshot.side(right)
        if strike_cents in side:
            strike = f"{strike_cents / 100:g}"
            raise place.refuse(
                "strike", f"each contract once in a {self.time}, {right} {strike} is there"
            )
        side[strike_cents] = quote


def contract_of(place: Place, right: str, strike: str) -> tuple[str, int]:
    """(right, strike in cents) of the fields `type` and `strike`."""
    if right not in (CALL, PUT):
        raise place.refuse("type", f"C or P and found {shown(right)}")
    return right, place.positive_cents("strike", strike)


def each_once(snapshots: Iterable[Snapshot]) -> Iterator[Snapshot]:
    """The snapshot of each row -> each snapshot when its last row has been read."""
    current: Snapshot | None = None
    for snapshot in snapshots:
        if current is not None and snapshot is not current:
            yield current
        current = snapshot
    if current is not None:
        yield current


def recorded(
    *,
    trading_date: date,
    hours: tuple[datetime, datetime],
    ticks: Sequence[Tick],
    settlement_cents: int | None,
    source: str,
    notes: Sequence[str] = (),
) -> Tape:
    """A tape as it was recorded, not held."""
    return Tape(
        trading_date=trading_date,
        open_at=hours[0],
        close_at=hours[1],
        ticks=ticks,
        settlement_cents=settlement_cents,
        settlement_source="" if settlement_cents is None else OFFICIAL,
        source=source,
        held_seconds=0,
        digest=digest_of(trading_date, settlement_cents, 0, ticks),
        notes=tuple(notes),
    )
