import pytest

from common.times import from_ms, rfc3339
from marketdata.tape import TapeError, load_tape
from marketdata.tape.check import check
from simengine.market import MISSING, Contract
from tests.marketdata.real_data import CHAIN, OPENING, needs_real_data

HEADER = "ts_utc,ts_et,type,strike,bid,ask,volume,open_interest,iv,under_px\n"
AT = "2025-05-15T17:00:17Z,2025-05-15T13:00:17-0400"
LATER = "2025-05-15T17:01:20Z,2025-05-15T13:01:20-0400"
KNOWN_QUOTES = {
    ("P", 5880): (125, 130),
    ("P", 5890): (205, 215),
    ("P", 5895): (270, 280),
    ("P", 5910): (630, 650),
    ("P", 5915): (830, 840),
    ("P", 5920): (1080, 1100),
    ("C", 5915): (960, 980),
    ("C", 5925): (510, 520),
    ("C", 5935): (245, 250),
    ("C", 5940): (165, 170),
    ("C", 5950): (75, 80),
}


def chain(tmp_path, *rows, header=HEADER):
    path = tmp_path / "chain.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return path


@needs_real_data
def test_the_known_quotes_of_the_real_chain_are_kept_exactly():
    tape = load_tape(CHAIN)

    at_one = next(t for t in tape.ticks if rfc3339(from_ms(t.at_ms))[:19] == "2025-05-15T17:00:17")
    found = {
        (right, strike): at_one.quote(Contract(right, strike * 100))[:2]
        for right, strike in KNOWN_QUOTES
    }
    assert found == KNOWN_QUOTES
    assert (at_one.spot_cents, at_one.expected_move_cents) == (591620, 1805)
    assert at_one.vix_hundredths is None


@needs_real_data
def test_the_real_day_settles_at_its_official_close():
    tape = load_tape(CHAIN)

    assert (len(tape.ticks), tape.settlement) == (157, (591693, "official"))
    assert str(tape.trading_date) == "2025-05-15"


@needs_real_data
def test_the_real_day_is_held_to_one_tick_a_second_by_default():
    tape = load_tape(CHAIN, hold_seconds=None)

    times = [tick.at_ms for tick in tape.ticks]
    assert tape.held_seconds == 90
    assert rfc3339(from_ms(times[-1])) == "2025-05-15T20:00:00.000Z"
    assert all(time % 1000 == 0 for time in times)
    in_the_afternoon = [time for time in times if from_ms(time).hour >= 17]
    assert len(in_the_afternoon) > 10_600


@needs_real_data
def test_the_real_quotes_are_clean_and_agree_with_the_index():
    report = check(load_tape(CHAIN))

    assert (report.crossed, report.off_grid, report.one_sided) == (0, 0, 0)
    assert abs(report.parity_offset_median_cents) < 50


@needs_real_data
def test_the_dirty_opening_loses_only_what_has_no_quote():
    tape = load_tape(OPENING)

    assert len(tape.ticks) == 45
    assert "left out: 38 contracts in a snapshot without any quote" in tape.notes
    first = tape.ticks[0]
    assert first.quote(Contract("C", 604000))[:2] == (MISSING, MISSING)
    assert first.quote(Contract("C", 608000))[:2] == (0, 10)
    assert tape.settlement == (596360, "official")  # from the daily closes


def test_rows_of_one_moment_are_one_snapshot(tmp_path):
    path = chain(
        tmp_path,
        f"{AT},C,5915,9.6,9.8,1,0,,5916.2",
        f"{AT},P,5915,8.3,8.4,1,0,,5916.2",
        f"{LATER},C,5915,9.7,9.9,1,0,,5916.4",
    )

    tape = load_tape(path)

    assert [len(tick.strikes_cents) for tick in tape.ticks] == [1, 1]
    assert (tape.settlement, tape.source) == ((591640, "last_spot"), "snapshot_chain:chain.csv")


def test_two_zeros_are_no_quote_and_one_zero_bid_is_one(tmp_path):
    path = chain(
        tmp_path,
        f"{AT},C,6040,0,0,1,0,,5916.2",
        f"{AT},P,6040,123,125,1,0,,5916.2",
        f"{AT},C,6045,0,0.05,1,0,,5916.2",
    )

    tick = load_tape(path).ticks[0]

    assert tick.quote(Contract("C", 604000))[:2] == (MISSING, MISSING)
    assert tick.quote(Contract("C", 604500))[:2] == (0, 5)


def test_strikes_beyond_twelve_percent_are_left_out_and_noted(tmp_path):
    path = chain(
        tmp_path,
        f"{AT},C,5000,10,11,1,0,,5000",
        f"{AT},C,5600,1,2,1,0,,5000",
        f"{AT},C,5601,1,2,1,0,,5000",
    )

    tape = load_tape(path)

    assert tape.ticks[0].strikes_cents == [500000, 560000]
    assert tape.notes == ("left out: 1 quotes more than 12 % from spot",)


def test_binary_noise_of_index_values_is_taken_to_the_cent(tmp_path):
    path = chain(tmp_path, f"{AT},C,5915,9.6,9.8,1,0,,5909.4800000000005")

    assert load_tape(path).ticks[0].spot_cents == 590948


def test_snapshots_outside_trading_hours_are_left_out(tmp_path):
    evening = "2025-05-15T20:00:13Z,2025-05-15T16:00:13-0400"

    tape = load_tape(
        chain(tmp_path, f"{AT},C,5915,9,10,1,0,,5916", f"{evening},C,5915,9,10,1,0,,5917")
    )

    assert len(tape.ticks) == 1
    assert tape.notes == ("left out: 1 snapshots outside trading hours",)


def test_the_index_files_after_hours_value_is_the_settlement(tmp_path):
    (tmp_path / "index_spx.csv").write_text(
        "ts_utc,ts_et,under_px\n"
        "2025-05-15T19:59:00Z,2025-05-15T15:59:00-0400,5914.61\n"
        "2025-05-15T20:00:13Z,2025-05-15T16:00:13-0400,5917.08\n"
        "2025-05-15T20:01:21Z,2025-05-15T16:01:21-0400,5916.93\n"
        "2025-05-15T20:02:28Z,2025-05-15T16:02:28-0400,5916.93\n"
        "2025-05-16T20:02:28Z,2025-05-16T16:02:28-0400,5958.38\n"
    )
    path = chain(tmp_path, f"{AT},C,5915,9.6,9.8,1,0,,5916.2")

    assert load_tape(path).settlement == (591693, "official")
    assert load_tape(path, settlement_cents=1).settlement == (1, "official")


def test_an_index_file_that_stops_before_settling_decides_nothing(tmp_path):
    (tmp_path / "index_spx.csv").write_text(
        "ts_utc,ts_et,under_px\n2025-05-15T20:00:13Z,2025-05-15T16:00:13-0400,5917.08\n"
    )
    path = chain(tmp_path, f"{AT},C,5915,9.6,9.8,1,0,,5916.2")

    assert load_tape(path).settlement_cents is None


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (f"{AT},C,5920,9.6,9.8,1,0,,5917", "under_px"),
        (f"{AT},C,5915,9.6,9.8,1,0,,5916.2", "strike"),
        (f"{AT},X,5920,9.6,9.8,1,0,,5916.2", "type"),
        (f"{AT},C,5920,-1,9.8,1,0,,5916.2", "bid"),
        (f"{AT},C,5920,1,inf,1,0,,5916.2", "ask"),
        (f"{AT},C,5920,1,2,1,0,,NaN", "under_px"),
        (f"{AT},C,5920", None),
        ("2025-05-15T17:00:18Z,2025-05-15T13:00:17-0400,C,5920,1,2,1,0,,5916.2", "ts_et"),
        ("2025-05-15T16:00:17Z,2025-05-15T12:00:17-0400,C,5920,1,2,1,0,,5916.2", "ts_utc"),
        ("2025-05-16T17:00:17Z,2025-05-16T13:00:17-0400,C,5920,1,2,1,0,,5916.2", "ts_utc"),
        ("17:00,13:00,C,5920,1,2,1,0,,5916.2", "ts_utc"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_column(tmp_path, bad, column):
    path = chain(tmp_path, f"{AT},C,5915,9.6,9.8,1,0,,5916.2", bad)

    with pytest.raises(TapeError) as refused:
        load_tape(path)

    assert (refused.value.line, refused.value.column) == (3, column)
