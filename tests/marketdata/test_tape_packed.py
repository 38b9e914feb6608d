import os
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketdata.tape import Tape, TapeError, load_tape
from marketdata.tape.build import hold
from marketdata.tape.check import check
from marketdata.tape.model import digest_of
from marketdata.tape.parquet import read_tape, write_tape
from marketdata.tape.store import keep, packed_files
from simengine.market import MISSING, rows_of
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT, OPEN_MS, as_tuple, make_tick


def make_tape(ticks, **overrides):
    values = {
        "trading_date": A_DAY,
        "open_at": OPEN_AT,
        "close_at": CLOSE_AT,
        "ticks": ticks,
        "settlement_cents": 595187,
        "settlement_source": "official",
        "source": "test",
        "held_seconds": 0,
    }
    values |= overrides
    digest = digest_of(A_DAY, values["settlement_cents"], values["held_seconds"], ticks)
    return Tape(digest=digest, **values)


def test_a_packed_tape_reads_back_to_the_same_day(tmp_path):
    ticks = [
        make_tick(1),
        make_tick(2, vix_hundredths=None, expected_move_cents=None, put_bid_cents=[MISSING, 0, 5]),
        make_tick(3, received_ms=OPEN_MS + 2_250),
        make_tick(4, **_columns([])),
        make_tick(5, **_columns([594000, 594500, 595000, 596000])),
    ]
    tape = make_tape(ticks, notes=("left out: 1 thing",))

    packed = write_tape(tape, tmp_path / "day.parquet")

    assert [as_tuple(tick) for tick in packed.ticks] == [as_tuple(tick) for tick in ticks]
    assert replace(packed, ticks=()) == replace(tape, ticks=())
    assert check(packed).digest_is_right


def _columns(strikes):
    column = [100 + row for row in range(len(strikes))]
    names = (
        "call_bid_cents",
        "call_ask_cents",
        "call_delta_e4",
        "put_bid_cents",
        "put_ask_cents",
        "put_delta_e4",
    )
    return {
        "strikes_cents": strikes,
        "row_of_strike": rows_of(strikes),
        **dict.fromkeys(names, column),
    }


def test_ticks_are_found_by_place_across_row_groups(tmp_path):
    ticks = [make_tick(seq, spot_cents=500_000 + seq) for seq in range(1, 3_001)]
    packed = write_tape(make_tape(ticks), tmp_path / "day.parquet").ticks

    assert len(packed) == 3_000
    assert [packed[row].spot_cents for row in (0, 1_199, 1_200, -1)] == [
        500_001,
        501_200,
        501_201,
        503_000,
    ]
    assert [tick.seq for tick in packed[1_198:1_202]] == [1_199, 1_200, 1_201, 1_202]
    with pytest.raises(IndexError):
        packed[3_000]


def test_ticks_of_the_same_strikes_share_one_row_index(tmp_path):
    packed = write_tape(make_tape([make_tick(1), make_tick(2)]), tmp_path / "day.parquet").ticks

    assert packed[0].row_of_strike is packed[1].row_of_strike


def test_the_digest_is_of_the_content_alone(tmp_path):
    ticks = [make_tick(1), make_tick(2)]
    tape = make_tape(ticks)

    assert make_tape(ticks, source="elsewhere").digest == tape.digest
    assert make_tape(ticks, settlement_cents=1).digest != tape.digest
    assert make_tape(ticks[:1]).digest != tape.digest
    assert make_tape([make_tick(1), make_tick(2, spot_cents=1)]).digest != tape.digest


def test_the_digest_never_changes_between_versions():
    assert make_tape([make_tick(1)]).digest == (
        "8cb868236dfdeb245e842852014909c95e40946610119857334b4f0bb6048443"
    )


def test_a_tape_whose_content_changed_shows_it(tmp_path):
    tape = make_tape([make_tick(1)])
    forged = replace(tape, ticks=[make_tick(1, spot_cents=1)], digest=tape.digest)
    report = check(forged)

    assert not report.digest_is_right


def test_other_parquet_files_and_broken_ones_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")

    for name in ("other.parquet", "broken.parquet", "absent.parquet"):
        with pytest.raises(TapeError, match="expected"):
            load_tape(tmp_path / name)


def test_an_interrupted_write_leaves_no_file(tmp_path):
    def ticks():
        yield make_tick(1)
        raise KeyboardInterrupt

    tape = replace(make_tape([make_tick(1)]), ticks=ticks())

    with pytest.raises(KeyboardInterrupt):
        write_tape(tape, tmp_path / "day.parquet")

    assert list(tmp_path.iterdir()) == []


def test_kept_tapes_are_named_by_day_and_content(tmp_path):
    tape = make_tape([make_tick(1)])

    path, kept = keep(tape, tmp_path)
    again, _ = keep(tape, tmp_path)

    assert path.name == f"2026-05-07-{tape.digest[:12]}.parquet"
    assert packed_files(tmp_path) == [path]
    assert (again, kept.digest) == (path, tape.digest)


def test_a_full_day_loads_in_under_a_second_and_stays_small(tmp_path):
    strikes = [550_000 + 500 * row for row in range(200)]
    rng = np.random.default_rng(7)
    columns = np.sort(rng.integers(0, 30_000, (60, 6, 200))) // 5 * 5
    blocks = columns.tolist()
    row_of_strike = rows_of(strikes)
    names = (
        "call_bid_cents",
        "call_ask_cents",
        "call_delta_e4",
        "put_bid_cents",
        "put_ask_cents",
        "put_delta_e4",
    )
    ticks = [
        make_tick(
            seq,
            strikes_cents=strikes,
            row_of_strike=row_of_strike,
            **dict(zip(names, blocks[seq % 60], strict=True)),
        )
        for seq in range(1, 23_402)
    ]
    path = tmp_path / "day.parquet"
    write_tape(make_tape(ticks), path)

    started = time.process_time()
    tape = read_tape(path)
    first, last = tape.ticks[0], tape.ticks[-1]
    elapsed = time.process_time() - started

    assert (first.seq, last.seq, len(tape.ticks)) == (1, 23_401, 23_401)
    assert elapsed < 1
    assert os.path.getsize(path) < 40_000_000


def test_a_hold_repeats_a_snapshot_every_second_and_no_longer():
    snapshots = [
        make_tick(1, at_ms=OPEN_MS + 500),
        make_tick(2, at_ms=OPEN_MS + 4_000),
        make_tick(3, at_ms=OPEN_MS + 60_000),
    ]

    held = hold(snapshots, 5, until_ms=OPEN_MS + 62_000)

    seconds = [(tick.at_ms - OPEN_MS) // 1000 for tick in held]
    assert seconds == [1, 2, 3, 4, 5, 6, 7, 8, 9, 60, 61, 62]
    assert [tick.seq for tick in held] == list(range(1, 13))
    assert all(tick.at_ms == tick.received_ms for tick in held)


def test_of_two_snapshots_in_one_second_the_later_is_held():
    snapshots = [
        make_tick(1, at_ms=OPEN_MS + 100, spot_cents=1),
        make_tick(2, at_ms=OPEN_MS + 900, spot_cents=2),
    ]

    held = hold(snapshots, 1, until_ms=OPEN_MS + 9_000)

    assert [tick.spot_cents for tick in held] == [2, 2]


def test_loading_with_a_hold_says_so_and_changes_the_digest(tmp_path):
    path = tmp_path / "day.parquet"
    write_tape(make_tape([make_tick(1), make_tick(11)]), path)

    tape = load_tape(path, hold_seconds=4)

    assert (tape.held_seconds, len(tape.ticks)) == (4, 10)
    assert tape.digest != load_tape(path).digest


def test_the_report_counts_what_is_poor():
    ticks = [
        make_tick(1, call_bid_cents=[1380, 1060, 0], call_ask_cents=[1370, 1060, 5]),
        make_tick(100, put_bid_cents=[MISSING, 1031, 1270], put_ask_cents=[840, 1050, MISSING]),
    ]

    report = check(make_tape(ticks))

    assert (report.crossed, report.locked, report.one_sided, report.off_grid) == (1, 1, 2, 1)
    assert (report.quotes, report.zero_bids, report.strikes) == (12, 1, 3)
    assert report.holes == ((OPEN_AT, 99),)
    assert (report.last_spot_cents, report.settlement_cents) == (595025, 595187)


def test_a_price_above_three_dollars_moves_in_dimes():
    ticks = [make_tick(1, put_bid_cents=[305, 300, 295], put_ask_cents=[310, 310, 310])]

    assert check(make_tape(ticks)).off_grid == 1


def test_the_parity_offset_is_what_the_quotes_say_beside_the_index():
    in_step, apart = make_tick(1), make_tick(2, spot_cents=594025)

    report = check(make_tape([in_step, apart]))

    assert report.parity_offset_max_cents == 1005
    assert report.parity_offset_median_cents == pytest.approx(505, abs=1)
