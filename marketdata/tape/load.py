"""Any file that holds a recorded day -> a Tape."""

from __future__ import annotations

from pathlib import Path

from common.times import to_ms
from marketdata.importers import lean, snapshot_chain
from marketdata.tape import csv
from marketdata.tape.build import hold
from marketdata.tape.fields import header
from marketdata.tape.model import Tape, TapeError
from marketdata.tape.parquet import read_tape


def load_tape(
    path: Path | str, *, hold_seconds: int | None = 0, settlement_cents: int | None = None
) -> Tape:
    """The tape of a packed file, our CSV, a vendor's chain file or a LEAN zip, by suffix and
    header.

    `hold_seconds`: repeat sparser snapshots once a second for at most that long; 0 leaves the ticks
    as recorded, None takes the format's default (90 for vendor chain files and LEAN zips, else 0).
    `settlement_cents` replaces the official close. Raises TapeError for anything no tape can be
    made of.
    """
    path = Path(path)
    tape, default_hold = _read(path)
    seconds = default_hold if hold_seconds is None else hold_seconds
    if seconds > 0 and tape.held_seconds == 0:
        held = hold(tape.ticks, seconds, to_ms(tape.close_at))
        tape = tape.with_ticks(held, held_seconds=seconds)
    if settlement_cents is not None and settlement_cents != tape.settlement_cents:
        tape = tape.with_settlement(settlement_cents)
    return tape


def _read(path: Path) -> tuple[Tape, int]:
    """The tape as recorded, and the hold its format wants for a replay."""
    if not path.is_file():
        raise TapeError(path, None, None, "a file")
    if path.suffix == ".parquet":
        return read_tape(path), 0
    if "".join(path.suffixes[-2:]).lower().endswith((".csv", ".csv.gz")):
        names = header(path)
        if names == snapshot_chain.HEADER:
            chain = snapshot_chain.read_snapshot_chain(path)
            return chain, snapshot_chain.DEFAULT_HOLD_SECONDS
        return csv.read_csv(path), 0
    if path.suffix == ".zip":
        return lean.read_lean(path), lean.DEFAULT_HOLD_SECONDS
    raise TapeError(path, None, None, "a .parquet, .csv, .csv.gz or .zip file")
