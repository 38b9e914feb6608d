"""The market as the tick log has it, or the day's tape once the log let go of the day: the times of
the ticks, and the mids of the contracts a session held.

Payloads are decoded here a block at a time and only for the contracts wanted: a whole day of 160
strikes in half a second, where a `Tick` for each would take several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.db import connection
from psycopg import Cursor

from marketdata import codec, ticklog
from marketdata.models import MarketDay
from marketdata.tape.model import TapeError
from marketdata.tape.parquet import read_tape
from simengine.market import CALL, MISSING, Contract, Tick

Ints = npt.NDArray[np.int64]
BLOCK_TICKS = 1_000
# Columns of a payload: strikes, call bids, asks, deltas, put bids, asks, deltas.
CALL_BIDS, CALL_ASKS, PUT_BIDS, PUT_ASKS = 1, 2, 4, 5


@dataclass(frozen=True)
class Times:
    """When ticks were and when they reached us, Unix milliseconds, by ascending `seqs`."""

    is_known: bool  # False: neither the log nor a tape has the day any more
    seqs: Ints
    at_ms: Ints
    received_ms: Ints
    ticks: Sequence[Tick] = ()  # of the tape, where the log has none


NOTHING = np.empty(0, dtype=np.int64)


def times_of(day: MarketDay | None, last_seq: int) -> Times:
    """The ticks of a day up to `last_seq`."""
    if day is None:
        return Times(False, NOTHING, NOTHING, NOTHING)
    if ticklog.has_partition(day.trading_date):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq, round(extract(epoch FROM at) * 1000)::bigint,"
                " round(extract(epoch FROM received_at) * 1000)::bigint FROM marketdata_tick"
                " WHERE trading_date = %s AND seq <= %s ORDER BY seq",
                [day.trading_date, last_seq],
            )
            rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
        return Times(True, rows[:, 0], rows[:, 1], rows[:, 2])
    return _of_tape(day, last_seq)


def _of_tape(day: MarketDay, last_seq: int) -> Times:
    try:
        ticks = read_tape(Path(day.tape_path)).ticks[:last_seq]
    except (TapeError, OSError):
        return Times(False, NOTHING, NOTHING, NOTHING)
    rows = np.array([(tick.seq, tick.at_ms, tick.received_ms) for tick in ticks], dtype=np.int64)
    rows = rows.reshape(-1, 3)
    return Times(True, rows[:, 0], rows[:, 1], rows[:, 2], ticks)


def mids(
    day: MarketDay, times: Times, contracts: Sequence[Contract], first_seq: int, last_seq: int
) -> tuple[Ints, Ints]:
    """The seqs of the ticks from `first_seq` to `last_seq`, and for each (rows) and each contract
    (columns) bid + ask in cents, which is the mid in half-cents; MISSING where the quote is
    unusable.
    """
    blocks = (
        _of_ticks(times.ticks[first_seq - 1 : last_seq], contracts)
        if times.ticks
        else _of_log(day, contracts, first_seq, last_seq)
    )
    found = list(blocks)
    if not found:
        return NOTHING, np.empty((0, len(contracts)), dtype=np.int64)
    return np.concatenate([seqs for seqs, _ in found]), np.concatenate([mid for _, mid in found])


def _of_ticks(ticks: Sequence[Tick], contracts: Sequence[Contract]) -> Iterator[tuple[Ints, Ints]]:
    if ticks:
        quotes = [[tick.quote(contract) for contract in contracts] for tick in ticks]
        values = np.array(quotes, dtype=np.int64)[:, :, :2]
        yield np.array([tick.seq for tick in ticks]), _mid(values[:, :, 0], values[:, :, 1])


def _of_log(
    day: MarketDay, contracts: Sequence[Contract], first_seq: int, last_seq: int
) -> Iterator[tuple[Ints, Ints]]:
    after_seq = first_seq - 1
    while after_seq < last_seq:
        until = min(after_seq + BLOCK_TICKS, last_seq)
        # Binary, because a payload as text is twice its size.
        with Cursor(connection.connection) as cursor:
            cursor.execute(
                "SELECT seq, payload FROM marketdata_tick WHERE trading_date = %s"
                " AND seq > %s AND seq <= %s ORDER BY seq",
                [day.trading_date, after_seq, until],
                binary=True,
            )
            rows = cursor.fetchall()
        yield from _runs(rows, contracts)
        after_seq = until


def _runs(
    rows: list[tuple[int, bytes]], contracts: Sequence[Contract]
) -> Iterator[tuple[Ints, Ints]]:
    """Consecutive payloads of one and the same strikes are decoded together."""
    start = 0
    for place in range(1, len(rows) + 1):
        if place < len(rows) and _strikes(rows[place][1]) == _strikes(rows[start][1]):
            continue
        run = rows[start:place]
        yield np.array([seq for seq, _ in run]), _decoded([raw for _, raw in run], contracts)
        start = place


def _strikes(payload: bytes) -> bytes:
    count = int.from_bytes(payload[4:8], "little")
    first = 4 * codec.HEADER_INTS
    return payload[first : first + 4 * count]


def _decoded(payloads: list[bytes], contracts: Sequence[Contract]) -> Ints:
    version = int.from_bytes(payloads[0][:4], "little")
    if version != codec.VERSION:
        raise codec.CorruptTick(f"version {version} is not {codec.VERSION}")
    values = np.frombuffer(b"".join(payloads), "<i4").reshape(len(payloads), -1)
    columns = values[:, codec.HEADER_INTS :].reshape(len(payloads), codec.COLUMNS, -1)
    row_of = {strike: row for row, strike in enumerate(np.cumsum(columns[0, 0]).tolist())}
    found = np.full((len(payloads), len(contracts)), MISSING, dtype=np.int64)
    for place, contract in enumerate(contracts):
        row = row_of.get(contract.strike_cents)
        if row is not None:
            is_call = contract.right == CALL
            bids, asks = (CALL_BIDS, CALL_ASKS) if is_call else (PUT_BIDS, PUT_ASKS)
            # A value is stored as the difference to the strike before.
            bid = columns[:, bids, : row + 1].sum(axis=1, dtype=np.int64)
            ask = columns[:, asks, : row + 1].sum(axis=1, dtype=np.int64)
            found[:, place] = _mid(bid, ask)
    return found


def _mid(bid: Ints, ask: Ints) -> Ints:
    """Both sides there and not crossed; a bid of 0 is there (domain.md section 2)."""
    return np.where((bid >= 0) & (ask >= bid), bid + ask, MISSING)
