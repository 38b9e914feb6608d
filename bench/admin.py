"""How long the admin site's lists take over very many rows: `python -m bench.admin [--rows N]`.

Makes a scratch database beside the one in DATABASE_URL, fills every ledger, the alerts and the runs
of jobs with N rows (1,000,000) and sessions, bots and users with a twentieth of that, asks for each
list as an operator does (the first page, the third, one by an id) and removes the database. Prints
a line a list: the median of five, in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from django.test import Client

TIMES = 5
PER_SESSION = 20  # rows of each ledger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()
    from django.db import connection  # noqa: PLC0415  there are no settings before

    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"{name}_bench_admin"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        measure(fill_tables(given.rows))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def fill_tables(rows: int) -> str:
    """The id of a session that is there. Needs a database that may be filled."""
    from django.db import connection  # noqa: PLC0415

    from tests.factories import BotSessionFactory  # noqa: PLC0415  imports models
    from tests.operations.rows import fill  # noqa: PLC0415

    began = time.perf_counter()
    session = BotSessionFactory(settled=True)
    fill(session, rows, per_session=PER_SESSION)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{rows:,} rows of each in {time.perf_counter() - began:.0f} s", flush=True)
    return str(session.pk)


def measure(session_id: str) -> None:
    from django.contrib import admin  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from tests.factories import UserFactory  # noqa: PLC0415

    client = Client(HTTP_HOST="localhost")
    client.force_login(
        UserFactory(is_staff=True, is_superuser=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    print(f"{'list':24} {'first':>8} {'third':>8} {'by id':>8}  ms")
    for model in sorted(admin.site._registry, key=lambda model: model.__name__):
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{label}_changelist")
        queries = ("", "?p=3", f"?q={session_id}")
        took = [_median_ms(partial(_ask, client, address + query)) for query in queries]
        print(f"{model.__name__:24} " + " ".join(f"{ms:8.0f}" for ms in took), flush=True)


def _ask(client: Client, address: str) -> None:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"


def _median_ms(ask: partial[None]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return 1000 * median(took)


if __name__ == "__main__":
    main()
