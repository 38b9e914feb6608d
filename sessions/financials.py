"""The per-second line of a session: packed points, written once per commit, folded when it settles.

A chunk is a little-endian int64 matrix of `Financials` rows, zlib-packed. One row a second as a
table row costs 45,000 rows/s at best; a packed chunk per commit is an order of magnitude cheaper to
write and a whole day reads back in one query (architecture section 5).
"""

from __future__ import annotations

import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from django.db import connection

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


def sampled(last_seqs: Mapping[uuid.UUID, int], count: int) -> dict[uuid.UUID, Matrix]:
    """About `count` points of each session's line, evenly spread and ending with its last one.

    Takes the last tick of each session. One query, and of a live line only the chunks that hold a
    point that is shown.
    """
    parts: dict[uuid.UUID, list[Matrix]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, [list(last_seqs), list(last_seqs.values()), count, count])
        for session_id, points in cursor:
            parts[session_id].append(unpack(points))
    return {pk: _thinned(np.concatenate(found), count) for pk, found in parts.items()}


# For each session and each of `count` even steps the chunk that holds that step's tick.
_SAMPLE = """
    SELECT DISTINCT ON (held.session_id, held.first_seq) held.session_id, held.points
    FROM unnest(%s::uuid[], %s::int[]) AS wanted (session_id, last_seq)
    CROSS JOIN LATERAL (
        SELECT min(first_seq) AS first_seq FROM bot_sessions_financialchunk AS chunk
        WHERE chunk.session_id = wanted.session_id
    ) AS line
    CROSS JOIN generate_series(1, %s) AS step
    CROSS JOIN LATERAL (
        SELECT chunk.session_id, chunk.first_seq, chunk.points
        FROM bot_sessions_financialchunk AS chunk
        WHERE chunk.session_id = wanted.session_id
          AND chunk.first_seq
              <= line.first_seq + (wanted.last_seq - line.first_seq)::bigint * step / %s
        ORDER BY chunk.first_seq DESC LIMIT 1
    ) AS held
    ORDER BY held.session_id, held.first_seq
"""


def _thinned(matrix: Matrix, count: int) -> Matrix:
    """At most `count` rows, evenly spread by their ticks."""
    if len(matrix) <= count:
        return matrix
    seqs = matrix[:, 0]
    wanted = np.linspace(seqs[0], seqs[-1], count)
    return matrix[np.unique(np.searchsorted(seqs, wanted))]


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
