from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marketdata.factories import A_DAY
from tests.marketdata.live.vendor_server import VendorServer


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer(A_DAY, period_seconds=0.02) as running:
        yield running
