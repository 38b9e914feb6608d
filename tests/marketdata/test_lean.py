import zipfile
from datetime import date

import pytest

from common.times import from_ms, rfc3339
from marketdata.tape import TapeError, load_tape
from marketdata.tape.check import check
from simengine.market import MISSING, Contract
from tests.marketdata.real_data import DATA, needs_real_data

LEAN = DATA / "lean"
DAY = "20210104"
OPEN_NEW_YORK, OPEN_CHICAGO = 34_200_000, 30_600_000
MINUTE = 60_000


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as target:
        for name, rows in members.items():
            target.writestr(name, "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


def index_rows(values, start=OPEN_CHICAGO):
    return [(start + MINUTE * n, value, value, value, value, 60) for n, value in enumerate(values)]


def index_zip(folder, values=(3700.10, 3700.20, 3700.30), *, day=DAY, start=OPEN_CHICAGO):
    path = folder / f"index_usa_minute_spx_{day}_trade.zip"
    return archive(path, **{f"{day}_spx_minute_trade.csv": index_rows(values, start)})


def quote(start, bid, ask):
    """A bar; prices in dollars, None for a side without one."""
    sides = ["" if price is None else round(price * 10_000) for price in (bid, ask)]
    return (start, *[sides[0]] * 4, 7, *[sides[1]] * 4, 9)


def option_name(right, strike, expiry=DAY):
    return f"{DAY}_spxw_minute_quote_european_{right}_{strike * 10_000}_{expiry}.csv"


def option_zip(folder, **members):
    return archive(folder / f"indexoption_usa_minute_spxw_{DAY}_quote_european.zip", **members)


def one_call(folder, *rows, expiry=DAY):
    return option_zip(folder, **{option_name("call", 3700, expiry): rows})


@needs_real_data
def test_the_real_day_has_index_and_options_in_step_and_its_official_close():
    tape = load_tape(LEAN / f"indexoption_usa_minute_spxw_{DAY}_quote_european.zip")
    report = check(tape)

    assert len(tape.ticks) == 390
    assert rfc3339(report.first_at) == "2021-01-04T14:31:00.000Z"
    assert rfc3339(report.last_at) == "2021-01-04T21:00:00.000Z"
    assert tape.settlement == (370065, "official")
    assert abs(report.parity_offset_median_cents) < 50
    first = tape.ticks[0]
    assert first.quote(Contract("C", 370000))[:2] == (6490, 6790)
    assert first.quote(Contract("C", 380000))[:2] == (35, 40)
    assert first.spot_cents == 376663
    assert "8 contracts of later expiries left out" in tape.notes


@needs_real_data
def test_the_real_early_close_ends_at_one():
    tape = load_tape(LEAN / "index_usa_minute_spx_20230703_trade.zip")

    assert rfc3339(tape.close_at) == "2023-07-03T17:00:00.000Z"
    assert rfc3339(from_ms(tape.ticks[-1].at_ms)) == "2023-07-03T17:00:00.000Z"
    assert tape.ticks[-1].spot_cents == 445506


@needs_real_data
def test_a_real_option_day_without_its_index_is_refused():
    with pytest.raises(TapeError, match=r"index_usa_minute_spx_20210106_trade\.zip"):
        load_tape(LEAN / "indexoption_usa_minute_spxw_20210106_quote_european.zip")


def test_a_bar_is_known_at_its_end_and_not_before(tmp_path):
    index_zip(tmp_path)

    tape = load_tape(
        one_call(tmp_path, quote(OPEN_NEW_YORK, 9.6, 9.8), quote(OPEN_NEW_YORK + MINUTE, 9.7, 9.9))
    )

    assert rfc3339(from_ms(tape.ticks[0].at_ms)) == "2021-01-04T14:31:00.000Z"
    quotes = [tick.quote(Contract("C", 370000))[:2] for tick in tape.ticks]
    assert quotes == [(960, 980), (970, 990), (970, 990)]
    assert [tick.spot_cents for tick in tape.ticks] == [370010, 370020, 370030]
    assert tape.notes == ("1 quotes stand from an earlier minute",)


def test_the_index_is_found_in_leans_own_folders(tmp_path):
    options = tmp_path / "indexoption" / "usa" / "minute" / "spxw"
    index = tmp_path / "index" / "usa" / "minute" / "spx"
    options.mkdir(parents=True)
    index.mkdir(parents=True)
    index_zip(index).rename(index / f"{DAY}_trade.zip")

    tape = load_tape(one_call(options, quote(OPEN_NEW_YORK, 9.6, 9.8)))

    assert tape.ticks[0].spot_cents == 370010


def test_a_missing_side_is_missing_and_a_crossed_bar_is_kept_and_noted(tmp_path):
    index_zip(tmp_path)

    tape = load_tape(
        one_call(tmp_path, quote(OPEN_NEW_YORK, None, 0.05), quote(OPEN_NEW_YORK + MINUTE, 2, 1.5))
    )

    assert tape.ticks[0].quote(Contract("C", 370000))[:2] == (MISSING, 5)
    assert tape.ticks[1].quote(Contract("C", 370000))[:2] == (200, 150)
    assert "1 bars close crossed" in tape.notes
    assert check(tape).crossed == 2  # it stands for another minute


def test_only_what_expires_on_the_day_is_taken(tmp_path):
    index_zip(tmp_path)

    with pytest.raises(TapeError, match="expires on 2021-01-04"):
        load_tape(one_call(tmp_path, quote(OPEN_NEW_YORK, 1, 2), expiry="20210106"))


def test_the_value_the_index_keeps_printing_after_the_close_is_the_settlement(tmp_path):
    values = [3700 + n / 100 for n in range(391)] + [3711.11] * 5

    tape = load_tape(index_zip(tmp_path, values))

    assert tape.settlement == (371111, "official")
    assert tape.ticks[-1].spot_cents == 370389


def test_an_index_that_stops_at_the_close_settles_nothing(tmp_path):
    assert load_tape(index_zip(tmp_path)).settlement_cents is None


def moving(n):
    """An index that an hour's shift cannot be mistaken for."""
    return 3700 + 30 * ((n // 20) % 5)


@pytest.mark.parametrize(("start", "apart"), [(OPEN_NEW_YORK, "+1 h"), (OPEN_CHICAGO, None)])
def test_an_index_in_new_york_time_is_found_out_by_parity(tmp_path, start, apart):
    index_zip(tmp_path, [moving(n) for n in range(330)], start=start)
    calls, puts = [], []
    for n in range(330):
        at, forward = OPEN_NEW_YORK + MINUTE * n, moving(n)
        calls.append(quote(at, forward - 3650 + 10, forward - 3650 + 10.2))
        puts.append(quote(at, 10, 10.2))
    path = option_zip(
        tmp_path, **{option_name("call", 3650): calls, option_name("put", 3650): puts}
    )

    if apart is None:
        assert check(load_tape(path)).parity_offset_max_cents < 50
    else:
        with pytest.raises(TapeError) as refused:
            load_tape(path)
        assert apart in str(refused.value)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ((OPEN_NEW_YORK, *[100] * 10), "bid close"),  # a hundredth of a cent
        ((OPEN_NEW_YORK, *[1000] * 8, "x", 5), "ask close"),
        (("9:30", *[1000] * 10), "time"),
        ((86_400_000, *[1000] * 10), "time"),
        ((OPEN_NEW_YORK, 1000), None),
    ],
)
def test_a_bad_bar_is_refused_with_its_place(tmp_path, row, column):
    index_zip(tmp_path)
    row = tuple(50 if value == 100 else value for value in row)

    with pytest.raises(TapeError) as refused:
        load_tape(one_call(tmp_path, row))

    assert (refused.value.line, refused.value.column) == (1, column)
    assert "call_37000000_20210104.csv" in refused.value.file


def test_bars_out_of_order_are_refused(tmp_path):
    index_zip(tmp_path)

    with pytest.raises(TapeError, match="growing milliseconds"):
        load_tape(one_call(tmp_path, quote(OPEN_NEW_YORK, 1, 2), quote(OPEN_NEW_YORK, 1, 2)))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"readme.txt": [("hello",)]},
        {f"{DAY}_spx_minute_trade.csv": [("x",) * 6]},
        {"20210103_spx_minute_trade.csv": index_rows([3700])},  # a Sunday
        {"20211399_spx_minute_trade.csv": index_rows([3700])},
        {f"{DAY}_spx_minute_trade.csv": index_rows([3700], start=1_000_000)},  # at night
    ],
)
def test_a_zip_that_is_no_lean_day_is_refused(tmp_path, members):
    with pytest.raises(TapeError):
        load_tape(archive(tmp_path / "day.zip", **members))


def test_a_broken_zip_is_refused(tmp_path):
    path = tmp_path / "day.zip"
    path.write_bytes(b"PK\x03\x04 no more")

    with pytest.raises(TapeError, match="a readable zip"):
        load_tape(path)


def test_a_minute_day_is_held_to_one_tick_a_second_by_default(tmp_path):
    tape = load_tape(index_zip(tmp_path), hold_seconds=None)

    assert tape.held_seconds == 90
    assert tape.trading_date == date(2021, 1, 4)
    assert len(tape.ticks) == 2 * 60 + 91


def test_an_index_that_settles_nothing_settles_at_the_daily_close_of_the_folder(tmp_path):
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "spx_daily.csv").write_text("date,close\n2021-01-04,3700.65\n")
    (tmp_path / "lean").mkdir()

    tape = load_tape(index_zip(tmp_path / "lean"))

    assert tape.settlement == (370065, "official")
