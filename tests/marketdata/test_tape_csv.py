import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.times import from_ms, rfc3339
from marketdata.tape import TapeError, load_tape
from marketdata.tape.csv import write_csv
from simengine.market import MISSING, PUT, Contract
from tests.marketdata.factories import as_tuple

HEADER = "datetime,spot,vix,expected_move,type,strike,bid,ask,delta\n"
EXAMPLE = (
    HEADER
    + """\
2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5945,4.10,4.30,0.46
2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5920,1.05,1.15,0.17
2026-05-07T20:00:00Z,5952.10,,,,,,,
#settlement,5951.87
"""
)


@pytest.fixture
def day(tmp_path):
    def write(text: str, name: str = "day.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_the_example_of_the_format_reads_as_it_says(day):
    tape = load_tape(day(EXAMPLE))

    first, last = tape.ticks
    assert (first.spot_cents, first.vix_hundredths, first.expected_move_cents) == (
        595025,
        1620,
        2150,
    )
    assert first.strikes_cents == [592000, 594500]
    assert first.quote(Contract(PUT, 594500)) == (410, 430, 4600)
    assert first.call_bid_cents == [MISSING, MISSING]
    assert (last.spot_cents, last.strikes_cents, last.vix_hundredths) == (595210, [], None)
    assert (tape.settlement, tape.held_seconds) == ((595187, "official"), 0)
    assert rfc3339(from_ms(last.at_ms)) == "2026-05-07T20:00:00.000Z"
    assert (tape.open_at.hour, tape.close_at.hour) == (13, 20)


def test_without_a_settlement_line_the_last_spot_is_it_and_says_so(day):
    tape = load_tape(day(EXAMPLE.replace("#settlement,5951.87\n", "")))

    assert tape.settlement_cents is None
    assert tape.settlement == (595210, "last_spot")


def test_a_settlement_given_by_hand_stands_above_the_files(day):
    path = day(EXAMPLE)

    tape = load_tape(path, settlement_cents=600000)

    assert tape.settlement == (600000, "official")
    assert tape.digest != load_tape(path).digest


def test_a_missing_side_is_missing_and_a_zero_bid_is_there(day):
    row = "2026-05-07T13:30:00Z,5950.25,,,P,5800,{},{},0.01\n"

    no_bid = load_tape(day(HEADER + row.format("", "0.05"))).ticks[0]
    zero_bid = load_tape(day(HEADER + row.format("0", "0.05"))).ticks[0]

    assert no_bid.quote(Contract(PUT, 580000))[:2] == (MISSING, 5)
    assert zero_bid.quote(Contract(PUT, 580000))[:2] == (0, 5)


def test_empty_deltas_and_an_empty_expected_move_are_computed(day):
    rows = [
        f"2026-05-07T13:30:00Z,5950,,,{right},{strike},{bid:.2f},{bid + 0.2:.2f},\n"
        for right, strike, bid in [
            ("C", 5940, 15.1),
            ("P", 5940, 5.1),
            ("C", 5950, 9.1),
            ("P", 5950, 9.1),
            ("C", 5960, 5.1),
            ("P", 5960, 15.1),
        ]
    ]

    tick = load_tape(day(HEADER + "".join(rows))).ticks[0]

    assert tick.expected_move_cents == 1840
    assert tick.call_delta_e4[1] == pytest.approx(5000, abs=30)
    assert tick.call_delta_e4[0] + tick.put_delta_e4[0] == 10_000
    assert tick.call_delta_e4[0] > tick.call_delta_e4[1] > tick.call_delta_e4[2]


def test_a_gzipped_file_reads_like_a_plain_one(day, tmp_path):
    packed = tmp_path / "day.csv.gz"
    packed.write_bytes(gzip.compress(EXAMPLE.encode()))

    assert load_tape(packed).digest == load_tape(day(EXAMPLE)).digest


def test_half_days_end_at_one(day):
    text = HEADER + "2026-11-27T18:00:00Z,5950,,,,,,,\n"

    assert load_tape(day(text)).close_at.hour == 18
    with pytest.raises(TapeError, match=r"datetime: expected a time of the session of 2026-11-27"):
        load_tape(day(text.replace("18:00:00", "18:00:01")))


GOOD = "2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5945,4.10,4.30,0.46"


@pytest.mark.parametrize(
    ("bad", "column", "expected"),
    [
        (GOOD.replace("4.30", "4.3x"), "ask", "a number such as 4.10, two decimals at most"),
        (GOOD.replace("4.10", "-1"), "bid", "a number such as"),
        (GOOD.replace("4.10", "nan"), "bid", "a number such as"),
        (GOOD.replace("4.10", "4.105"), "bid", "two decimals at most"),
        (GOOD.replace("4.10", "1e3"), "bid", "a number such as"),
        (GOOD.replace("4.10", "99999999"), "bid", "a number such as"),
        (GOOD.replace(",P,", ",X,"), "type", "C or P"),
        (GOOD.replace("5945", ""), "strike", "a number such as"),
        (GOOD.replace("5945", "0"), "strike", "a number above 0"),
        (GOOD.replace("5950.25", "0"), "spot", "a number above 0"),
        (GOOD.replace("5950.25", ""), "spot", "found nothing"),
        (GOOD.replace("16.2", "high"), "vix", "a number such as"),
        (GOOD.replace("0.46", "1.2"), "delta", "a number from 0 to 1"),
        (GOOD.replace("0.46", "-0.4"), "delta", "a number from 0 to 1"),
        (GOOD.replace("00Z", "00"), "datetime", "a time with its zone"),
        (GOOD.replace("2026-05-07T13:30:00Z", "noon"), "datetime", "a time with its zone"),
        (GOOD.replace("13:30:00", "13:29:59"), "datetime", "a time of the session"),
        (GOOD.replace("13:30:00", "20:00:01"), "datetime", "a time of the session"),
        (GOOD.replace("05-07", "05-08"), "datetime", "a time of the session of 2026-05-07"),
        (GOOD + ",extra", None, "9 fields and found 10"),
        ("2026-05-07T13:30:01Z,5950,,,,5945,,,", "strike", "nothing in a row without a type"),
        ("#comment", "datetime", "a time or a last line #settlement"),
        ("#settlement,x", "settlement", "a number such as"),
        ("#settlement,1,2", "settlement", "one value"),
        ('2026-05-07T13:30:00Z,"unclosed', None, "fields"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_column(day, bad, column, expected):
    path = day(f"{HEADER}2026-05-07T13:30:00Z,5950.25,16.2,21.5,P,5920,1.05,1.15,\n{bad}\n")

    with pytest.raises(TapeError) as refused:
        load_tape(path)

    error = refused.value
    assert (error.line, error.column) == (3, column)
    assert expected in error.expected
    where = f"{path}:3:" + (f" {column}:" if column else "")
    assert str(error).startswith(f"{where} expected ")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("rows", "line", "column"),
    [
        (["2026-05-07T13:30:05Z,5950,,,,,,,", "2026-05-07T13:30:04Z,5950,,,,,,,"], 3, "datetime"),
        ([GOOD, GOOD], 3, "strike"),
        ([GOOD, GOOD.replace("5945", "5940").replace("5950.25", "5950.26")], 3, "spot"),
        ([GOOD, GOOD.replace("5945", "5940").replace("16.2", "16.3")], 3, "vix"),
        (["#settlement,5950", GOOD], 3, None),
        (["2026-05-09T14:00:00Z,5950,,,,,,,"], 2, "datetime"),  # a Saturday
        (["2025-01-09T15:00:00Z,5950,,,,,,,"], 2, "datetime"),  # a one-off closure
    ],
)
def test_rows_that_contradict_each_other_are_refused(day, rows, line, column):
    with pytest.raises(TapeError) as refused:
        load_tape(day(HEADER + "\n".join(rows) + "\n"))

    assert (refused.value.line, refused.value.column) == (line, column)


@pytest.mark.parametrize("text", ["", HEADER, HEADER + "\n\n", "a,b\n1,2\n", "\0\n"])
def test_a_file_without_a_day_is_refused(day, text):
    with pytest.raises(TapeError, match="expected"):
        load_tape(day(text))


@pytest.mark.parametrize("name", ["day.txt", "day.xlsx", "day"])
def test_an_unknown_suffix_is_refused(day, name):
    with pytest.raises(TapeError, match=r"expected a \.parquet, \.csv, \.csv\.gz or \.zip file"):
        load_tape(day(EXAMPLE, name))


def test_files_that_are_not_there_or_not_whole_are_refused(day, tmp_path):
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(EXAMPLE.encode() * 50)[:-20])
    (tmp_path / "not.csv.gz").write_bytes(b"plain text")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\xe9\n")

    for name in ["absent.csv", "cut.csv.gz", "not.csv.gz", "latin.csv"]:
        with pytest.raises(TapeError, match="expected"):
            load_tape(tmp_path / name)


def test_poor_quotes_are_kept(day):
    crossed = GOOD.replace("4.10", "4.40")

    tick = load_tape(day(f"{HEADER}{crossed}\n")).ticks[0]

    assert tick.quote(Contract(PUT, 594500))[:2] == (440, 430)


sides = st.one_of(st.none(), st.integers(0, 9_999_99))
rows_of_a_tick = st.dictionaries(
    st.tuples(st.sampled_from("CP"), st.integers(1, 9_999_99)),
    st.tuples(sides, sides, st.integers(0, 10_000)).filter(lambda row: row[:2] != (None, None)),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(ticks=st.lists(rows_of_a_tick, min_size=1, max_size=4), packed=st.booleans())
def test_what_is_written_reads_back_to_the_same_ticks(tmp_path, ticks, packed):
    def money(cents):
        return "" if cents is None else f"{cents // 100}.{cents % 100:02d}"

    lines = []
    for second, quotes in enumerate(ticks):
        start = f"2026-05-07T13:30:{second:02d}Z,5950.25,16.20,21.50"
        lines += [
            f"{start},{right},{money(strike)},{money(bid)},{money(ask)},{delta / 10_000:.4f}"
            for (right, strike), (bid, ask, delta) in quotes.items()
        ] or [f"{start},,,,,"]
    source, copy = tmp_path / "in.csv", tmp_path / ("out.csv.gz" if packed else "out.csv")
    source.write_text(HEADER + "\n".join(lines) + "\n#settlement,5951.87\n")
    tape = load_tape(source)

    write_csv(tape, copy)

    again = load_tape(copy)
    assert [as_tuple(tick) for tick in again.ticks] == [as_tuple(tick) for tick in tape.ticks]
    assert (again.digest, again.settlement) == (tape.digest, tape.settlement)
