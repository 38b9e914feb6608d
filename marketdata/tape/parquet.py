"""The packed tape: one Parquet file a day, zstd, one row a tick (tape.md, "Packed").

Columns: at_ms (UTC), lag_ms, spot_cents, vix_hundredths, expected_move_cents, and the lists
strikes_cents, call_bid_cents, call_ask_cents, call_delta_e4 and the same three for puts; -1 in a
list is a missing side. The file's metadata has the key `zerohour`: JSON with format, symbol_root,
trading_date, open_at, close_at, settlement_cents, settlement_source, source, held_seconds, digest,
ticks, notes.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common.times import rfc3339
from marketdata.tape.model import SYMBOL_ROOT, Digest, Tape, TapeError
from simengine.market import Tick, rows_of

# The library's own allocator keeps 25 MB more for a day that is read once, and is no quicker at it.
pa.set_memory_pool(pa.system_memory_pool())

FORMAT = "zerohour-tape-1"
METADATA_KEY = b"zerohour"
TICKS_PER_GROUP = 1200
GROUPS_KEPT = 3
LISTS = (
    "strikes_cents",
    "call_bid_cents",
    "call_ask_cents",
    "call_delta_e4",
    "put_bid_cents",
    "put_ask_cents",
    "put_delta_e4",
)
SCHEMA = pa.schema(
    [
        ("at_ms", pa.int64()),
        ("lag_ms", pa.int32()),
        ("spot_cents", pa.int32()),
        ("vix_hundredths", pa.int32()),
        ("expected_move_cents", pa.int32()),
        *((name, pa.list_(pa.field("item", pa.int32(), nullable=False))) for name in LISTS),
    ]
)


class TapeWriter:
    """Writes ticks as they come; `finish` adds the metadata and puts the file in its place."""

    def __init__(
        self, path: Path, *, trading_date: date, settlement_cents: int | None, held_seconds: int
    ) -> None:
        self.path = path
        self._partial = path.with_name(path.name + ".partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(
            self._partial, SCHEMA, compression="zstd", compression_level=6, use_dictionary=False
        )
        self._digest = Digest(trading_date, settlement_cents, held_seconds)
        self._pending: list[Tick] = []
        self._count = 0
        self._about = {
            "format": FORMAT,
            "symbol_root": SYMBOL_ROOT,
            "trading_date": trading_date.isoformat(),
            "settlement_cents": settlement_cents,
            "held_seconds": held_seconds,
        }

    def write(self, ticks: Iterable[Tick]) -> None:
        for tick in ticks:
            self._digest.add(tick)
            self._pending.append(tick)
            self._count += 1
            if len(self._pending) == TICKS_PER_GROUP:
                self._flush()

    def finish(
        self,
        *,
        open_at: datetime,
        close_at: datetime,
        settlement_source: str,
        source: str,
        notes: Sequence[str] = (),
    ) -> str:
        """The digest of what was written."""
        self._flush()
        about = {
            **self._about,
            "open_at": rfc3339(open_at),
            "close_at": rfc3339(close_at),
            "settlement_source": settlement_source,
            "source": source,
            "notes": list(notes),
            "ticks": self._count,
            "digest": self._digest.hexdigest(),
        }
        self._writer.add_key_value_metadata({METADATA_KEY: json.dumps(about).encode()})
        self._writer.close()
        self._partial.replace(self.path)
        return self._digest.hexdigest()

    def abandon(self) -> None:
        self._writer.close()
        self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(_table(self._pending))
            self._pending = []


def _table(ticks: Sequence[Tick]) -> pa.Table:
    columns: dict[str, Any] = {
        "at_ms": [tick.at_ms for tick in ticks],
        "lag_ms": [tick.received_ms - tick.at_ms for tick in ticks],
        "spot_cents": [tick.spot_cents for tick in ticks],
        "vix_hundredths": [tick.vix_hundredths for tick in ticks],
        "expected_move_cents": [tick.expected_move_cents for tick in ticks],
    }
    lengths = np.array([len(tick.strikes_cents) for tick in ticks])
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32())
    for name in LISTS:
        flat = np.array([value for tick in ticks for value in getattr(tick, name)], dtype=np.int32)
        kind = SCHEMA.field(name).type
        columns[name] = pa.ListArray.from_arrays(offsets, pa.array(flat), type=kind)
    return pa.table(columns, schema=SCHEMA)


def write_tape(tape: Tape, path: Path) -> Tape:
    """Write `tape` to `path`; the tape as it reads back from there."""
    writer = TapeWriter(
        path,
        trading_date=tape.trading_date,
        settlement_cents=tape.settlement_cents,
        held_seconds=tape.held_seconds,
    )
    try:
        writer.write(tape.ticks)
        writer.finish(
            open_at=tape.open_at,
            close_at=tape.close_at,
            settlement_source=tape.settlement_source,
            source=tape.source,
            notes=tape.notes,
        )
    except BaseException:
        writer.abandon()
        raise
    return read_tape(path)


def read_metadata(path: Path) -> dict[str, Any]:
    """What the file says about itself. TapeError where it is no packed tape."""
    try:
        found = (pq.read_metadata(path).metadata or {}).get(METADATA_KEY)
    except (OSError, pa.ArrowException):
        found = None
    about = json.loads(found) if found else {}
    if about.get("format") != FORMAT:
        raise TapeError(path, None, None, f"a packed tape ({FORMAT}) and found something else")
    return dict(about)


def read_tape(path: Path) -> Tape:
    """The tape of a packed file; its ticks are decoded as they are asked for."""
    about = read_metadata(path)
    ticks = PackedTicks(path)
    if not len(ticks) or len(ticks) != about["ticks"]:
        raise TapeError(path, None, None, f"{about['ticks']} ticks and found {len(ticks)}")
    return Tape(
        trading_date=date.fromisoformat(about["trading_date"]),
        open_at=datetime.fromisoformat(about["open_at"]),
        close_at=datetime.fromisoformat(about["close_at"]),
        ticks=ticks,
        settlement_cents=about["settlement_cents"],
        settlement_source=about["settlement_source"],
        source=about["source"],
        held_seconds=about["held_seconds"],
        digest=about["digest"],
        notes=tuple(about["notes"]),
    )


class PackedTicks(Sequence[Tick]):
    """The ticks of a packed file, a row group at a time; a few groups are kept in memory."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path, memory_map=True)
        if self._file.schema_arrow.names != SCHEMA.names:
            raise TapeError(path, None, None, f"the columns {', '.join(SCHEMA.names)}")
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.concatenate(([0], np.cumsum(sizes)))
        self._groups: OrderedDict[int, _Group] = OrderedDict()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> Tick: ...
    @overload
    def __getitem__(self, index: slice) -> list[Tick]: ...
    def __getitem__(self, index: int | slice) -> Tick | list[Tick]:
        if isinstance(index, slice):
            return [self._tick(row) for row in range(*index.indices(len(self)))]
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(index)
        return self._tick(row)

    def __iter__(self) -> Iterator[Tick]:
        return (self._tick(row) for row in range(len(self)))

    def _tick(self, row: int) -> Tick:
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        group = self._groups.get(number)
        if group is None:
            group = _Group(self._file.read_row_group(number, use_threads=False))
            self._groups[number] = group
            if len(self._groups) > GROUPS_KEPT:
                self._groups.popitem(last=False)
        return group.tick(row - int(self._starts[number]), seq=row + 1)


class _Group:
    """One row group, ready to be cut into ticks."""

    def __init__(self, table: pa.Table) -> None:
        self._at_ms = table["at_ms"].to_pylist()
        self._lag_ms = table["lag_ms"].to_pylist()
        self._spot = table["spot_cents"].to_pylist()
        self._vix = table["vix_hundredths"].to_pylist()
        self._move = table["expected_move_cents"].to_pylist()
        lists = [table[name].combine_chunks() for name in LISTS]
        self._offsets = lists[0].offsets.to_pylist()
        # A tick's columns are windows into these: nothing is copied, a number is made when asked.
        self._strikes, *self._columns = [_numbers(column.values) for column in lists]
        self._rows_of: dict[bytes, tuple[list[int], dict[int, int]]] = {}

    def tick(self, row: int, *, seq: int) -> Tick:
        cut = slice(self._offsets[row], self._offsets[row + 1])
        packed = self._strikes[cut].tobytes()
        known = self._rows_of.get(packed)
        if known is None:
            strikes = self._strikes[cut].tolist()
            known = self._rows_of[packed] = (strikes, rows_of(strikes))
        at_ms = self._at_ms[row]
        call_bids, call_asks, call_deltas, put_bids, put_asks, put_deltas = (
            column[cut] for column in self._columns
        )
        return Tick(
            seq,
            at_ms,
            at_ms + self._lag_ms[row],
            self._spot[row],
            self._vix[row],
            self._move[row],
            known[0],
            call_bids,
            call_asks,
            call_deltas,
            put_bids,
            put_asks,
            put_deltas,
            known[1],
        )


def _numbers(column: pa.Int32Array) -> memoryview:
    """Where they lie. Not by to_numpy(), whose first call imports pandas: 1.3 s and 80 MB."""
    width = column.type.byte_width
    start = column.offset * width
    return memoryview(column.buffers()[1])[start : start + len(column) * width].cast("i")
