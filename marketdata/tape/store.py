"""Where packed tapes are kept: one folder, a name that tells the day and the content apart."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from marketdata.tape.model import Tape
from marketdata.tape.parquet import write_tape


def packed_name(trading_date: date, digest: str) -> str:
    return f"{trading_date}-{digest[:12]}.parquet"


def keep(tape: Tape, folder: Path) -> tuple[Path, Tape]:
    """The packed file of `tape` in `folder`, and the tape as it reads from there."""
    path = folder / packed_name(tape.trading_date, tape.digest)
    # A name of our own while it grows: two imports of one file must not write into each other.
    growing = folder / f".{os.getpid()}-{path.name}"
    kept = write_tape(tape, growing)
    growing.replace(path)
    return path, kept


def packed_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else []
