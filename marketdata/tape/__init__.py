"""Recorded trading days: reading, checking and writing them (tape.md)."""

from marketdata.tape.load import load_tape
from marketdata.tape.model import Tape, TapeError

__all__ = ["Tape", "TapeError", "load_tape"]
