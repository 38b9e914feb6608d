import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from marketdata.tape import load_tape
from tests.marketdata.real_data import CHAIN, needs_real_data
from tests.marketdata.test_tape_csv import EXAMPLE, HEADER


@pytest.fixture
def tape_dir(settings, tmp_path):
    settings.TAPE_DIR = tmp_path / "tapes"
    return settings.TAPE_DIR


@pytest.fixture
def day(tmp_path):
    path = tmp_path / "day.csv"
    path.write_text(EXAMPLE)
    return path


def run(*args):
    out = StringIO()
    call_command("tape", *map(str, args), stdout=out)
    return out.getvalue()


def test_an_import_packs_the_day_and_ends_with_the_files_path(tape_dir, day):
    out = run("import", day)

    path = Path(out.splitlines()[-1])
    assert path.parent == tape_dir
    assert load_tape(path).digest == load_tape(day).digest
    assert "settlement   5951.87 (official), -0.23 from the last spot" in out


def test_an_import_takes_a_name_a_hold_and_a_settlement(tape_dir, day, tmp_path):
    out = tmp_path / "mine.parquet"

    run("import", day, "--out", out, "--hold", "3", "--settlement", "5950")

    tape = load_tape(out)
    assert (tape.held_seconds, len(tape.ticks), tape.settlement) == (3, 5, (595000, "official"))


@needs_real_data
def test_the_real_chain_is_held_for_ninety_seconds_unless_told_otherwise(tape_dir):
    held = load_tape(run("import", CHAIN).splitlines()[-1])
    as_it_is = load_tape(run("import", CHAIN, "--hold", "0").splitlines()[-1])

    assert (held.held_seconds, as_it_is.held_seconds) == (90, 0)
    assert len(as_it_is.ticks) == 157
    assert held.settlement == as_it_is.settlement == (591693, "official")


def test_a_check_reports_for_people_and_for_programs(day):
    told = run("check", day)
    report = json.loads(run("check", day, "--json"))

    assert "ticks        2, 2026-05-07T13:30:00.000Z to 2026-05-07T20:00:00.000Z" in told
    assert (report["ticks"], report["quotes"], report["holes"]) == (
        2,
        2,
        [{"after": "2026-05-07T13:30:00.000Z", "seconds": 23400}],
    )


def test_a_list_names_what_was_imported(tape_dir, day):
    assert "no tapes" in run("list")

    run("import", day)

    assert run("list").startswith("2026-05-07       2 ticks  csv:day.csv")


def test_an_export_is_the_long_csv(tape_dir, day, tmp_path):
    packed = run("import", day).splitlines()[-1]

    run("export", packed, "--csv", tmp_path / "out.csv")

    assert load_tape(tmp_path / "out.csv").digest == load_tape(day).digest


@pytest.mark.parametrize("verb", ["import", "check"])
def test_bad_input_is_one_line_and_status_two(tape_dir, tmp_path, capsys, verb):
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + "2026-05-07T13:30:00Z,5950.25,,,P,5945,4.10,4.3x,\n")

    with pytest.raises(SystemExit) as ended:
        call_command("tape", verb, str(path))

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"{path}:2: ask: expected a number such as 4.10, two decimals at most, and found '4.3x'\n"
    )


def test_a_name_that_is_no_tapes_is_refused(tape_dir, day, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("tape", "import", str(day), "--out", str(tmp_path / "x.csv"))

    assert ended.value.code == 2
    assert "expected a name ending in .parquet" in capsys.readouterr().err


@pytest.mark.parametrize("bad", [["--hold", "-1"], ["--hold", "x"], ["--settlement", "0"]])
def test_bad_options_are_refused(day, bad):
    with pytest.raises((SystemExit, Exception), match=r"expected|2"):
        run("import", day, *bad)
