"""The per-second line of a session: its newest points in its own row, the others in packed chunks.

A tick of a quiet session is one update of one row: the point goes to the head of `tail` with the
same statement that moves `last_tick_seq`. Newest first, so that only the head of the value changes
and PostgreSQL logs no more than that. About every TAIL_POINTS ticks the tail becomes a chunk, all
but its newest point, and when the session settles its chunks become one (architecture section 5;
docs/performance.md has the figures).

A point is ten big-endian int64: the fields of `Financials`. A chunk is the width of a difference
in bytes (one byte: 2, 4 or 8), its first point, and column by column the differences from point to
point. That is short, PostgreSQL's own compression makes a day of it shorter still, and SQL can read
it: the view `bot_sessions_second` shows every second of every session.
"""

from __future__ import annotations

import struct
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import BigIntegerField, Func, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from common.prepared import Prepared
from sessions.models import BotSession, FinancialChunk
from simengine.step import Financials

Matrix = npt.NDArray[np.int64]
COLUMNS = Financials._fields
TAIL_POINTS = 15
_POINT = struct.Struct(f">{len(COLUMNS)}q")
POINT_BYTES = _POINT.size
AT_MS = COLUMNS.index("at_ms")
_AT_MS_PLACE = 1 + 8 * AT_MS  # in a chunk, of its first point
_WIDTHS = (2, 4, 8)  # bytes


class Growth(NamedTuple):
    """What a commit does to a line."""

    chunk: list[Financials]  # written as a chunk
    added: list[Financials]  # go before the tail
    is_filled: bool  # the tail that was there is in the chunk
    tail: list[Financials]  # afterwards

    @property
    def added_bytes(self) -> bytes:
        return b"".join([_POINT.pack(*point) for point in reversed(self.added)])


def growth(
    session_id: uuid.UUID, tail: list[Financials], points: list[Financials], *, is_last: bool
) -> Growth:
    """How `points` join a line with this tail; nothing stays in the tail of its last ones.

    Sessions fill their chunks at different ticks, so that no commit has to write all of them.
    """
    whole = tail + points
    if is_last:
        return Growth(whole, [], True, [])
    if points and _place(session_id, whole[0]) != _place(session_id, whole[-1]):
        return Growth(whole[:-1], whole[-1:], True, whole[-1:])
    return Growth([], points, False, whole)


def _place(session_id: uuid.UUID, point: Financials) -> int:
    return (point.seq + session_id.int % TAIL_POINTS) // TAIL_POINTS


def tail_matrix(tail: bytes | memoryview) -> Matrix:
    """The points of a session's `tail`, oldest first."""
    return np.frombuffer(tail, dtype=">i8").reshape(-1, len(COLUMNS))[::-1].astype("<i8")


def tail_points(tail: bytes | memoryview) -> list[Financials]:
    return [Financials._make(row) for row in tail_matrix(tail).tolist()]


def pack(points: Sequence[Financials]) -> bytes:
    return pack_matrix(np.array(points, dtype="<i8"))


def pack_matrix(matrix: Matrix) -> bytes:
    differences = np.diff(matrix, axis=0).T
    largest = int(np.abs(differences).max(initial=0))
    width = next(width for width in _WIDTHS if largest < 1 << (8 * width - 1))
    packed = (bytes([width]), matrix[0].astype(">i8").tobytes())
    return b"".join((*packed, differences.astype(f">i{width}").tobytes()))


def unpack(packed: bytes | memoryview) -> Matrix:
    first = np.frombuffer(packed, dtype=">i8", count=len(COLUMNS), offset=1)
    differences = np.frombuffer(packed, dtype=f">i{packed[0]}", offset=1 + POINT_BYTES)
    columns = np.empty((len(COLUMNS), len(differences) // len(COLUMNS) + 1), dtype="<i8")
    columns[:, 0] = first
    columns[:, 1:] = differences.reshape(len(COLUMNS), -1)
    return np.ascontiguousarray(np.cumsum(columns, axis=1).T)


def chunk(session_id: uuid.UUID, points: Sequence[Financials]) -> FinancialChunk:
    return FinancialChunk(
        session_id=session_id,
        first_seq=points[0].seq,
        last_seq=points[-1].seq,
        count=len(points),
        points=pack(points),
    )


def tail_chunks(session: BotSession) -> list[FinancialChunk]:
    """The tail as the chunk that it becomes, unsaved; none where it is empty."""
    points = tail_points(session.tail)
    return [chunk(session.pk, points)] if points else []


def joined(chunks: Iterable[FinancialChunk]) -> Matrix:
    """The points of chunks in order; an empty matrix for none."""
    parts = [unpack(item.points) for item in chunks]
    return np.concatenate(parts) if parts else np.empty((0, len(COLUMNS)), dtype="<i8")


def with_tail(matrix: Matrix, tail: bytes | memoryview) -> Matrix:
    """Points of chunks, and behind them those of a tail that was read before the chunks were."""
    newest = tail_matrix(tail)
    last_seq = matrix[-1, 0] if len(matrix) else -1
    return np.concatenate([matrix, newest[newest[:, 0] > last_seq]])


def line(session: BotSession, *, after_seq: int = -1) -> Matrix:
    """All points of a session as it was read, after a tick, oldest first."""
    chunks = _chunks_after(session=session.pk, after_seq=after_seq).rows()
    matrix = with_tail(joined(chunks), session.tail)
    return matrix[matrix[:, 0] > after_seq]


def line_since(session: BotSession, at_ms: int) -> Matrix:
    """The points after a time, Unix milliseconds. Reads the chunk that holds it and later ones."""
    matrix = tail_matrix(session.tail)
    if not len(matrix) or matrix[0, AT_MS] > at_ms:
        chunks = _chunks_since(session=session.pk, at_ms=at_ms).rows()
        matrix = with_tail(joined(chunks), session.tail)
    return matrix[matrix[:, AT_MS] > at_ms]


@Prepared
def _chunks_after(session: uuid.UUID, after_seq: int) -> QuerySet[FinancialChunk]:
    chunks = FinancialChunk.objects.filter(session=session, last_seq__gt=after_seq)
    return chunks.order_by("first_seq")


@Prepared
def _chunks_since(session: uuid.UUID, at_ms: int) -> QuerySet[FinancialChunk]:
    """From the last one that begins at or before the time; a chunk begins with its first point."""
    begins_at_ms = Func(
        "points", Value(_AT_MS_PLACE), function="bot_sessions_int8", output_field=BigIntegerField()
    )
    chunks = FinancialChunk.objects.filter(session=session)
    begun = chunks.annotate(at_ms=begins_at_ms).filter(at_ms__lte=at_ms).order_by("-first_seq")
    first_seq = Coalesce(Subquery(begun.values("first_seq")[:1]), 0)
    return chunks.filter(first_seq__gte=first_seq).order_by("first_seq")


def sampled(last_seqs: Mapping[uuid.UUID, int], count: int) -> dict[uuid.UUID, Matrix]:
    """About `count` points of each session's line, evenly spread and ending with its last one.

    Takes the last tick of each session. One query, and of a live line only the chunks that hold a
    point that is shown.
    """
    parts: dict[uuid.UUID, list[Matrix]] = defaultdict(list)
    wanted: dict[str, Any] = {
        "ids": list(last_seqs),
        "seqs": list(last_seqs.values()),
        "count": count,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, wanted)
        for session_id, points, is_tail in cursor:
            parts[session_id].append(tail_matrix(points) if is_tail else unpack(points))
    return {pk: _thinned(np.concatenate(found), count) for pk, found in parts.items()}


# For each session and each of `count` even steps the chunk that holds that step's tick; then tails.
_SAMPLE = """
(
    SELECT DISTINCT ON (held.session_id, held.first_seq)
        held.session_id, held.points, false AS is_tail
    FROM unnest(%(ids)s::uuid[], %(seqs)s::int[]) AS wanted (session_id, last_seq)
    CROSS JOIN LATERAL (
        SELECT min(first_seq) AS first_seq FROM bot_sessions_financialchunk AS chunk
        WHERE chunk.session_id = wanted.session_id
    ) AS line
    CROSS JOIN generate_series(1, %(count)s) AS step
    CROSS JOIN LATERAL (
        SELECT chunk.session_id, chunk.first_seq, chunk.points
        FROM bot_sessions_financialchunk AS chunk
        WHERE chunk.session_id = wanted.session_id
          AND chunk.first_seq
              <= line.first_seq + (wanted.last_seq - line.first_seq)::bigint * step / %(count)s
        ORDER BY chunk.first_seq DESC LIMIT 1
    ) AS held
    ORDER BY held.session_id, held.first_seq
) UNION ALL (
    SELECT id, tail, true FROM bot_sessions_botsession
    WHERE id = ANY(%(ids)s::uuid[]) AND tail <> ''
)
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
