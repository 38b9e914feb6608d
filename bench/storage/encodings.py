"""Ways to write the points of one session down, and what they take.

Each is a pair: to bytes and back. Columns are seq, at_ms and eight amounts of cents, all int64.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.storage.lines import POINT_COLUMNS, Matrix

_HEAD = struct.Struct(f"<Hi{POINT_COLUMNS}q{POINT_COLUMNS}i")


class Encoding(NamedTuple):
    encode: Callable[[Matrix], bytes]
    decode: Callable[[bytes], Matrix]


def raw(points: Matrix) -> bytes:
    return points.tobytes()


def unraw(data: bytes) -> Matrix:
    return np.frombuffer(data, dtype="<i8").reshape(-1, POINT_COLUMNS)


def zlibbed(points: Matrix) -> bytes:
    return zlib.compress(points.tobytes(), 1)


def unzlibbed(data: bytes) -> Matrix:
    return unraw(zlib.decompress(data))


def deltas(points: Matrix) -> bytes:
    """The first point whole, then int32 differences, column after column."""
    steps = np.diff(points, axis=0)
    if steps.size and (np.abs(steps).max() > 2**31 - 1):
        raise ValueError("a step of more than 21 million dollars")
    return points[0].tobytes() + np.ascontiguousarray(steps.T, dtype="<i4").tobytes()


def undeltas(data: bytes) -> Matrix:
    first = np.frombuffer(data, dtype="<i8", count=POINT_COLUMNS)
    steps = np.frombuffer(data, dtype="<i4", offset=first.nbytes).reshape(POINT_COLUMNS, -1)
    found = np.empty((steps.shape[1] + 1, POINT_COLUMNS), dtype="<i8")
    found[0] = first
    np.cumsum(steps.T, axis=0, dtype="<i8", out=found[1:])
    found[1:] += first
    return found


def zlibbed_deltas(points: Matrix) -> bytes:
    return zlib.compress(deltas(points), 1)


def unzlibbed_deltas(data: bytes) -> Matrix:
    return undeltas(zlib.decompress(data))


def varints(points: Matrix) -> bytes:
    """Zigzag differences from a point of zeros, column after column, seven bits a byte."""
    steps = np.diff(points, axis=0, prepend=np.zeros((1, POINT_COLUMNS), dtype="<i8")).T.ravel()
    values = ((steps << 1) ^ (steps >> 63)).astype(np.uint64)
    groups = (values[:, None] >> np.arange(0, 70, 7, dtype=np.uint64).clip(0, 63)) & np.uint64(127)
    groups[:, 9] = 0  # amounts are far below 2**62
    lengths = np.maximum(1, 10 - np.argmax(groups[:, ::-1] != 0, axis=1))
    lengths[values == 0] = 1
    places = np.arange(10)
    groups |= np.where(places < lengths[:, None] - 1, 128, 0).astype(np.uint64)
    return groups.astype(np.uint8)[places < lengths[:, None]].tobytes()


def unvarints(data: bytes) -> Matrix:
    parts = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(parts < 128)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(parts)) - np.repeat(starts, ends - starts + 1)
    shifted = (parts & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    values = np.add.reduceat(shifted, starts)
    steps = (values >> np.uint64(1)).astype("<i8") ^ -(values & np.uint64(1)).astype("<i8")
    return np.cumsum(steps.reshape(POINT_COLUMNS, -1).T, axis=0)


def zlibbed_varints(points: Matrix) -> bytes:
    return zlib.compress(varints(points), 1)


def unzlibbed_varints(data: bytes) -> Matrix:
    return unvarints(zlib.decompress(data))


def moving(points: Matrix) -> bytes:
    """Only columns with uneven steps take room: a bit for each of those, the first point, each
    column's first step, then the int32 differences of the uneven ones, tick after tick.

    SQL can read it, and PostgreSQL packs long ones by itself.
    """
    steps = np.diff(points, axis=0)
    even = steps[0] if len(steps) else np.zeros(POINT_COLUMNS, dtype="<i8")
    is_uneven = (steps != even).any(axis=0)
    mask = int(is_uneven @ (1 << np.arange(POINT_COLUMNS)))
    head = _HEAD.pack(mask, len(points), *points[0].tolist(), *even.tolist())
    return head + steps[:, is_uneven].astype("<i4").tobytes()


def unmoving(data: bytes) -> Matrix:
    mask, count, *numbers = _HEAD.unpack_from(data)
    found = np.empty((count, POINT_COLUMNS), dtype="<i8")
    found[0] = numbers[:POINT_COLUMNS]
    found[1:] = numbers[POINT_COLUMNS:]
    uneven = [column for column in range(POINT_COLUMNS) if mask >> column & 1]
    steps = np.frombuffer(data, dtype="<i4", offset=_HEAD.size)
    found[1:, uneven] = steps.reshape(count - 1, len(uneven))
    return np.cumsum(found, axis=0)


def zlibbed_moving(points: Matrix) -> bytes:
    return zlib.compress(moving(points), 1)


def unzlibbed_moving(data: bytes) -> Matrix:
    return unmoving(zlib.decompress(data))


ENCODINGS = {
    "int64": Encoding(raw, unraw),
    "int64, zlib": Encoding(zlibbed, unzlibbed),
    "int32 differences": Encoding(deltas, undeltas),
    "int32 differences, zlib": Encoding(zlibbed_deltas, unzlibbed_deltas),
    "int32 differences of what moves": Encoding(moving, unmoving),
    "int32 differences of what moves, zlib": Encoding(zlibbed_moving, unzlibbed_moving),
    "varint differences": Encoding(varints, unvarints),
    "varint differences, zlib": Encoding(zlibbed_varints, unzlibbed_varints),
}


class Cost(NamedTuple):
    bytes_per_point: float
    encode_us_per_point: float
    decode_us_per_point: float


def cost(encoding: Encoding, days: list[Matrix], points_per_chunk: int) -> Cost:
    """Over chunks taken evenly from all days. Checks that what is read back is what was there."""
    chunks = [
        day[first : first + points_per_chunk]
        for day in days
        for first in range(0, len(day) - points_per_chunk + 1, max(points_per_chunk, 200))
    ]
    count = sum(map(len, chunks))
    started = time.process_time()
    written = [encoding.encode(chunk) for chunk in chunks]
    encoded = time.process_time()
    back = [encoding.decode(data) for data in written]
    decoded = time.process_time()
    if not all(map(np.array_equal, chunks, back)):
        raise AssertionError("an encoding loses points")
    return Cost(
        sum(map(len, written)) / count,
        1e6 * (encoded - started) / count,
        1e6 * (decoded - encoded) / count,
    )
