"""What a whole day of a session's line costs to read: `python -m bench.financials`.

23,401 rows, one a second, folded as a settled session has them, asked for through the whole of
Django (routing, token, ownership, shaping, compression). Medians of `RUNS`, in milliseconds; prints
JSON. Runs in a transaction on DATABASE_URL, whose migrations must be applied, and undoes it.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

RUNS = 5
ROWS = 23_401
OPTIONS = {
    "json": {},
    "json, gzip": {"HTTP_ACCEPT_ENCODING": "gzip"},
    "csv": {"HTTP_ACCEPT": "text/csv"},
    "csv, gzip": {"HTTP_ACCEPT": "text/csv", "HTTP_ACCEPT_ENCODING": "gzip"},
}


def medians(work: Callable[[], Any]) -> dict[str, float]:
    """By the clock, and of processor time, which other processes do not add to."""
    taken = []
    for _ in range(RUNS + 1):
        started = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    clock, processor = zip(*taken[1:], strict=True)  # the first one warms up
    return {
        "ms": round(1000 * statistics.median(clock), 1),
        "cpu_ms": round(1000 * statistics.median(processor), 1),
    }


def measured() -> dict[str, Any]:
    from rest_framework.test import APIClient  # noqa: PLC0415  after setup: these import models

    from accounts.services import create_token  # noqa: PLC0415
    from common.times import to_ms  # noqa: PLC0415
    from sessions import financials  # noqa: PLC0415
    from simengine.step import Financials  # noqa: PLC0415
    from tests.factories import BotSessionFactory  # noqa: PLC0415

    session = BotSessionFactory(settled=True)
    first_ms = to_ms(session.created_at)
    points = []
    for seq in range(1, ROWS + 1):
        swing_cents = 5 * round(4_000 * math.sin(seq / 900))  # thousands of amounts, each often
        moving = [2_500_000 + swing_cents, 2_500_000, swing_cents, 0, swing_cents, 0, 2_500_000, 0]
        points.append(Financials(seq, first_ms + 1000 * seq, *moving))
    financials.FinancialChunk.objects.bulk_create([financials.chunk(session.pk, points)])
    client = APIClient(SERVER_NAME="localhost")
    client.credentials(HTTP_AUTHORIZATION=create_token(user=session.bot.owner))
    url = f"/api/bots/{session.bot_id}/sessions/{session.pk}/financials"
    found: dict[str, Any] = {"rows": len(client.get(url).json())}
    for name, headers in OPTIONS.items():
        answer = client.get(url, **headers)
        taken = medians(lambda headers=headers: client.get(url, **headers))
        found[name] = {**taken, "kb": round(len(answer.content) / 1000)}
    tag = client.get(url)["ETag"]
    found["not modified"] = medians(lambda: client.get(url, HTTP_IF_NONE_MATCH=tag))
    found["every minute"] = medians(lambda: client.get(f"{url}?interval=60"))
    return found


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    from django.db import transaction  # noqa: PLC0415  there are no settings before

    with transaction.atomic():
        print(json.dumps(measured(), indent=2))
        transaction.set_rollback(True)


if __name__ == "__main__":
    main()
