"""What every process has to carry: big packages that only one command needs stay out."""

from __future__ import annotations

import subprocess
from datetime import date

import numpy as np
from scipy.signal import lfilter

from launcher.paths import ROOT, VENV_PYTHON
from marketdata.feeds.path import persistent
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape.parquet import TapeWriter

DAY = date(2026, 11, 23)
READ_A_TAPE = """
import sys, django
django.setup()
from pathlib import Path
from marketdata.tape.parquet import read_tape
assert read_tape(Path(sys.argv[1])).ticks[5].seq == 6
import pyarrow
assert pyarrow.default_memory_pool().backend_name == "system"
print(*sorted({"pandas", "scipy", "exchange_calendars"} & set(sys.modules)))
"""


def test_a_process_that_reads_a_packed_tape_carries_neither_pandas_nor_scipy(tmp_path):
    path = tmp_path / "day.parquet"
    feed = SyntheticFeed(1, DAY)
    ticks = feed.ticks(0)
    writer = TapeWriter(path, trading_date=DAY, settlement_cents=1, held_seconds=0)
    writer.write([next(ticks) for _ in range(10)])
    writer.finish(
        open_at=feed.open_at, close_at=feed.close_at, settlement_source="official", source="test"
    )

    done = subprocess.run(
        [VENV_PYTHON, "-c", READ_A_TAPE, path],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "config.settings.base"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_persistent_noise_is_what_the_filter_gives_to_the_last_bit():
    noise = np.random.default_rng(7).normal(size=5_000)

    for keeps in (0.3, 0.9, 0.5 ** (1 / 1200)):
        filtered = lfilter([1.0], [1.0, -keeps], noise)
        assert persistent(noise, keeps).tobytes() == filtered.tobytes()
