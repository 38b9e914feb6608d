from uuid import uuid4

import pytest
from rest_framework.test import APIClient


@pytest.fixture
def anonymous(db) -> APIClient:
    """Nobody signed in, from an address of its own: no other test has spent its limits."""
    return APIClient(REMOTE_ADDR=f"test-{uuid4()}")


@pytest.fixture
def probes(settings):
    """Throw-away views below /api/probe, for what no endpoint of ours does on purpose."""
    settings.ROOT_URLCONF = "tests.common.probes"
