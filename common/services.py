"""Keeping and forgetting the answers of idempotent requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from common.models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)


def claim_idempotency_key(
    *, user_id: UUID, key: str, fingerprint: str, now: datetime
) -> tuple[IdempotencyKey, bool]:
    """The row of this key, and whether it is new. Call it inside the transaction of the effect.

    While another transaction holds the same new key this waits for its end: for its answer if it
    committed, for the right to go ahead if it rolled back.
    """
    mine = IdempotencyKey.objects.filter(user_id=user_id, key=key)
    mine.filter(created_at__lte=now - KEPT_FOR).delete()
    return mine.get_or_create(
        user_id=user_id, key=key, defaults={"fingerprint": fingerprint, "created_at": now}
    )


def delete_expired_idempotency_keys(*, now: datetime) -> int:
    """Forget answers older than 24 hours; returns how many. Safe to run twice at once."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    return deleted
