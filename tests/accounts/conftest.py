from uuid import uuid4

import pytest
from rest_framework.test import APIClient


@pytest.fixture
def anonymous(db) -> APIClient:
    """Nobody signed in, from an address of its own: no other test has spent its limits."""
    return APIClient(REMOTE_ADDR=f"test-{uuid4()}")
