"""The per-second line of a session: packed points, written once per commit, folded when it settles.

A chunk is a little-endian int64 matrix of `Financials` rows, zlib-packed. One row a second as a
table row costs 45,000 rows/s at best; a packed chunk per commit is an order of magnitude cheaper to
write and a whole day reads back in one query (architecture section 5).
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from sessions.models import BotSession, FinancialChunk
from simengine.step import Financials

Matrix = npt.NDArray[np.int64]
COLUMNS = Financials._fields


def pack(points: Sequence[Financials]) -> bytes:
    return pack_matrix(np.array(points, dtype="<i8"))


def pack_matrix(matrix: Matrix) -> bytes:
    return zlib.compress(np.ascontiguousarray(matrix, dtype="<i8").tobytes(), 1)


def unpack(packed: bytes | memoryview) -> Matrix:
    return np.frombuffer(zlib.decompress(packed), dtype="<i8").reshape(-1, len(COLUMNS))


def chunk(session_id: uuid.UUID, points: Sequence[Financials]) -> FinancialChunk:
    return FinancialChunk(
        session_id=session_id,
        first_seq=points[0].seq,
        last_seq=points[-1].seq,
        count=len(points),
        points=pack(points),
    )


def joined(chunks: Iterable[FinancialChunk]) -> Matrix:
    """The points of chunks in order; an empty matrix for none."""
    parts = [unpack(item.points) for item in chunks]
    return np.concatenate(parts) if parts else np.empty((0, len(COLUMNS)), dtype="<i8")


def line(session: BotSession, *, after_seq: int = -1) -> Matrix:
    """All points of a session after a tick, oldest first."""
    chunks = FinancialChunk.objects.filter(session=session, last_seq__gt=after_seq)
    matrix = joined(chunks.order_by("first_seq"))
    return matrix[matrix[:, 0] > after_seq]


def fold(session: BotSession) -> None:
    """One chunk instead of thousands, once nothing is added any more. Needs a transaction around
    it.
    """
    chunks = list(FinancialChunk.objects.filter(session=session).order_by("first_seq"))
    if len(chunks) < 2:
        return
    matrix = joined(chunks)
    FinancialChunk.objects.filter(session=session).delete()
    FinancialChunk.objects.create(
        session=session,
        first_seq=int(matrix[0, 0]),
        last_seq=int(matrix[-1, 0]),
        count=len(matrix),
        points=pack_matrix(matrix),
    )
