"""Derived ids: the same session, kind and ordinal always give the same row id."""

from __future__ import annotations

import uuid


def row_id(session_id: uuid.UUID, kind: str, ordinal: int | str) -> uuid.UUID:
    return uuid.uuid5(session_id, f"{kind}:{ordinal}")


def order_id(session_id: uuid.UUID, number: int) -> uuid.UUID:
    return row_id(session_id, "order", number)
