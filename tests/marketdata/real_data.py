"""Real market data beside the repository; tests that use it skip where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CHAIN = DATA / "chain_spxw_0dte_20250515.csv.gz"
OPENING = DATA / "chain_spxw_0dte_20250519_open.csv.gz"

needs_real_data = pytest.mark.skipif(not CHAIN.exists(), reason=f"no real data in {DATA}")
