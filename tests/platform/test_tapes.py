from __future__ import annotations

import pytest

from launcher import tapes
from launcher.console import Refusal
from launcher.services import environment

DAY = """datetime,spot,vix,expected_move,type,strike,bid,ask,delta
2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5945,4.10,4.30,0.46
2026-05-07T13:30:00Z,5950.25,16.2,21.5,C,5945,9.10,9.30,0.54
2026-05-07T20:00:00Z,5952.10,,,,,,,
#settlement,5951.87
"""


@pytest.fixture
def env(data_dir):
    return environment(data_dir)


@pytest.fixture
def day(tmp_path):
    path = tmp_path / "day.csv"
    path.write_text(DAY)
    return path


def test_a_file_is_packed_into_the_data_directory(data_dir, env, day):
    packed = tapes.packed(day, env)

    assert packed.startswith(str(data_dir.path / "tapes"))
    assert packed.endswith(".parquet")


def test_the_same_content_is_packed_once(env, day, monkeypatch):
    first = tapes.packed(day, env)
    monkeypatch.setattr(tapes, "_import", lambda *_: "packed again")

    assert tapes.packed(day, env) == first


def test_other_content_under_the_same_name_is_packed_anew(env, day):
    first = tapes.packed(day, env)
    day.write_text(DAY.replace("4.10,4.30", "4.00,4.20"))

    assert tapes.packed(day, env) != first


def test_a_file_that_is_no_tape_is_refused_with_the_readers_line(env, day):
    day.write_text(DAY.replace("4.10", "four"))

    with pytest.raises(Refusal, match=r"day\.csv:2: bid: expected") as refused:
        tapes.packed(day, env)

    assert refused.value.exit_status == 2
