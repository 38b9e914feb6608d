"""`bin/manage simulate`: the day of tape.md without a database, byte for byte, and its bad inputs.

None of these tests may touch the database: pytest-django would refuse it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.sessions import market

HEADER = "datetime,spot,vix,expected_move,type,strike,bid,ask,delta"
SPREAD = {
    "legs": [
        {
            "direction": "sell",
            "type": "put",
            "qty": 1,
            "strike": {"method": "points_otm", "value": 5},
        },
        {
            "direction": "buy",
            "type": "put",
            "qty": 1,
            "strike": {"method": "offset", "value": -25, "from": 0},
        },
    ],
    "entry": {"times": ["09:30:05"]},
}


def write_tape(
    path: Path, *, day: str = "2026-05-07", seconds: int = 60, settlement: str = "5940.00"
) -> Path:
    """The market of tests.sessions.market as a file."""
    lines = [HEADER]
    for seq in range(1, seconds + 1):
        tick = market.tick(seq)
        at = f"{day}T13:{30 + (seq - 1) // 60}:{(seq - 1) % 60:02d}Z"
        for row, strike in enumerate(tick.strikes_cents):
            for right, bids, asks, deltas in (
                ("C", tick.call_bid_cents, tick.call_ask_cents, tick.call_delta_e4),
                ("P", tick.put_bid_cents, tick.put_ask_cents, tick.put_delta_e4),
            ):
                quote = f"{bids[row] / 100:.2f},{asks[row] / 100:.2f},{deltas[row] / 10_000:.4f}"
                lines.append(f"{at},5950.00,16.20,21.50,{right},{strike / 100:g},{quote}")
    lines += [f"{day}T20:00:00Z,5950.00,,,,,,,", f"#settlement,{settlement}"]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def tape(tmp_path) -> Path:
    return write_tape(tmp_path / "day.csv")


@pytest.fixture
def form(tmp_path) -> Path:
    path = tmp_path / "form.json"
    path.write_text(json.dumps(SPREAD))
    return path


def run(tmp_path, tape, form, *more: str) -> dict:
    out = tmp_path / "out.json"
    call_command("simulate", "--tape", tape, "--strategy", form, "--json", out, *more)
    return json.loads(out.read_bytes())


def test_the_document_of_a_day(tmp_path, tape, form):
    day = run(tmp_path, tape, form)

    assert list(day) == [
        "session",
        "tape",
        "engine_version",
        "orders",
        "positions",
        "transactions",
        "decision_log",
        "events",
        "financials",
        "entries",
    ]
    # 2.45 in on tick 27; 5.00 of intrinsic at 5940; fees 3.44 and one assignment of 5.00.
    assert day["session"]["total_pl"] == "-263.44"
    assert day["session"]["status"] == "completed"
    assert day["orders"][0]["fill_datetime"] == "2026-05-07T13:30:26.000Z"
    assert len(day["financials"]) == day["session"]["tick_count"] == 61
    assert [row["type"] for row in day["transactions"]][2:] == ["assignment", "expiration"]
    assert day["entries"][0]["outcome"] == "filled"
    assert day["tape"]["settlement_source"] == "official"


def test_the_same_inputs_give_the_same_bytes(tmp_path, tape, form):
    run(tmp_path, tape, form)
    first = (tmp_path / "out.json").read_bytes()

    run(tmp_path, tape, form)

    assert (tmp_path / "out.json").read_bytes() == first


def test_another_policy_is_another_session(tmp_path, tape, form):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"reprice": {"opening": {"enabled": False}}}))

    day = run(tmp_path, tape, form, "--policy", str(policy))

    # Without re-pricing the order rests at the mid, which never fills while slippage applies.
    assert day["orders"][0]["status"] == "expired"
    assert day["entries"][0]["outcome"] == "unfilled"
    assert day["session"]["session_id"] != run(tmp_path, tape, form)["session"]["session_id"]


def test_slippage_fees_and_capital_are_what_is_given(tmp_path, tape, form):
    fees = tmp_path / "fees.json"
    fees.write_text(json.dumps({"open": "0", "exercise": 1}))

    day = run(tmp_path, tape, form, "--fees", str(fees), "--slippage", "0", "--capital", "50000")

    # No slippage: the mid itself, 2.50, on the tick after placement.
    assert day["orders"][0]["fill_price"] == "2.50"
    assert day["session"]["final_nlv"] == "49749"  # 50000 + 250 - 500 - 1


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three days, whose files stand in another order; the second settles out of the money."""
    path = tmp_path / "tapes"
    path.mkdir()
    write_tape(path / "b.csv", day="2026-05-07")
    write_tape(path / "c.csv", day="2026-05-08", settlement="5960.00")
    write_tape(path / "a.csv", day="2026-05-11")
    return path


def simulate_apart(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own: days side by side are forked from it."""
    manage = Path(__file__).parents[2] / "manage.py"
    command = [sys.executable, str(manage), "simulate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_days_run_side_by_side_each_from_the_same_capital(tmp_path, folder, form):
    out = tmp_path / "out.json"

    ran = simulate_apart("--tape", folder, "--strategy", form, "--json", out, "--side-by-side")

    assert ran.returncode == 0, ran.stderr
    sessions = [day["session"] for day in json.loads(out.read_bytes())["days"]]
    assert [session["date"] for session in sessions] == ["2026-05-07", "2026-05-08", "2026-05-11"]
    assert {session["opening_balance"] for session in sessions} == {"25000"}
    # 245.00 in, and out of it 500.00 with 5.00 of fees, or nothing; 3.44 of fees at the opening.
    assert [session["total_pl"] for session in sessions] == ["-263.44", "241.56", "-263.44"]
    # -263.44 + 241.56 - 263.44; from 0 down to -263.44, up to -21.88, down to -285.32.
    assert ran.stdout.splitlines()[-7:] == [
        "days       3",
        "wins       1 (33.3 %)",
        "total P&L  -285.32",
        "best day   241.56 on 2026-05-08",
        "worst day  -263.44 on 2026-05-07",
        "drawdown   285.32 from day to day, 263.44 within one",
        "fees       20.32",
    ]


def test_a_tape_that_fails_is_named_and_changes_nothing_else(tmp_path, folder, form):
    good, with_bad = tmp_path / "good.json", tmp_path / "with_bad.json"
    given = ("--tape", folder, "--strategy", form, "--side-by-side")
    simulate_apart(*given, "--json", good)
    (folder / "bb.csv").write_text("a,b\n")

    ran = simulate_apart(*given, "--json", with_bad, "--processes", "1")

    assert ran.returncode == 2
    assert f"{folder}/bb.csv:1:" in ran.stderr
    assert "1 of 4 tapes could not be used" in ran.stderr
    assert "days       3" in ran.stdout
    days, failed = with_bad.read_bytes().split(b'\n], "failed": ')
    assert days + b"\n]}\n" == good.read_bytes()
    assert [Path(row["tape"]).name for row in json.loads(failed[:-2])] == ["bb.csv"]


def test_several_days_carry_the_balance_on(tmp_path, folder, form):
    days = run(tmp_path, folder, form)["days"]

    opening = [day["session"]["opening_balance"] for day in days]
    final = [day["session"]["final_nlv"] for day in days]
    assert opening == ["25000", "24736.56", "24978.12"]
    assert final == [*opening[1:], "24714.68"]


def test_the_balance_goes_on_after_a_tape_that_fails(tmp_path, folder, form, capsys):
    (folder / "c.csv").write_text("a,b\n")
    out = tmp_path / "out.json"

    with pytest.raises(CommandError, match="1 of 3 tapes could not be used"):
        call_command("simulate", "--tape", folder, "--strategy", form, "--json", out)

    document = json.loads(out.read_bytes())
    assert [day["session"]["opening_balance"] for day in document["days"]] == ["25000", "24736.56"]
    assert capsys.readouterr().err.startswith(f"{folder}/c.csv:1:")


def test_a_session_that_halts_has_reached_its_end(tmp_path, tape):
    program = tmp_path / "broken.py"
    program.write_text("def on_tick(ctx):\n    return 1 / 0\n")

    day = run(tmp_path, tape, program)

    assert day["session"]["status"] == "halted"
    assert day["session"]["status_reason"] == "error_budget: 6 errors, the budget is 5"
    assert next(e for e in day["events"] if e["kind"] == "error_counted")["data"]["line"] == 2


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--tape", f"{HEADER}\n2026-05-07T13:30:00Z,x,,,,,,,\n", "bad.csv:2: spot: expected"),
        ("--tape", "a,b\n", "bad.csv:1:"),
        ("--strategy", "{", "bad.json:1: column 2:"),
        ("--strategy", '{"legs": []}', "bad.json: legs:"),
        ("--policy", '{"error_budget": 101}', "error_budget: must be a whole number"),
        ("--policy", '{"reprice": {"closing": {"max_concession": 1}}}', "reprice.closing"),
        ("--fees", '{"open": "x"}', "open: must be an amount"),
        ("--fees", '{"opening": "1"}', "expected an object with close, exercise, open"),
    ],
)
def test_bad_input_is_one_line_that_says_what_and_where(
    tmp_path, tape, form, option, text, message
):
    bad = tmp_path / ("bad.csv" if option == "--tape" else "bad.json")
    bad.write_text(text)
    options = {"--tape": tape, "--strategy": form, option: bad}

    with pytest.raises(CommandError) as refused:
        call_command("simulate", *(word for pair in options.items() for word in pair))

    assert refused.value.returncode == 2
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_program_that_cannot_be_is_refused_at_its_line(tmp_path, tape):
    program = tmp_path / "bad.py"
    program.write_text("import os\n\n\ndef on_tick(ctx):\n    pass\n")

    with pytest.raises(CommandError, match=r"bad\.py:1: ") as refused:
        call_command("simulate", "--tape", tape, "--strategy", program)

    assert refused.value.returncode == 2


def test_a_missing_file_is_named(tmp_path, form):
    with pytest.raises(CommandError, match=r"nowhere\.csv") as refused:
        call_command("simulate", "--tape", tmp_path / "nowhere.csv", "--strategy", form)

    assert refused.value.returncode == 2
