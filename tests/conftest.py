"""The cast of every test, and who they are to the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from knox.models import AuthToken
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient
from structlog.contextvars import clear_contextvars

from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def _flushed_tick_log(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """No tick outlives its test: the log is partitioned by hand, so the flush after a test with
    transactions of its own leaves it alone.
    """
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction")
    if commits or "transactional_db" in request.fixturenames:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE marketdata_tick")


@pytest.fixture(autouse=True)
def _unbound_log_lines() -> Iterator[None]:
    """A runner or a market that ran in this process names itself on no other test's lines."""
    yield
    clear_contextvars()


@pytest.fixture
def alice(db: None) -> User:
    """The owner."""
    return UserFactory(email="alice@example.com")


@pytest.fixture
def bob(db: None) -> User:
    """The stranger."""
    return UserFactory(email="bob@example.com")


@pytest.fixture
def client_for() -> Callable[[User], APIClient]:
    """A client that signs in as a program does, by a token in the header."""

    def make(user: User) -> APIClient:
        _, token = AuthToken.objects.create(user)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=token)
        return client

    return make
