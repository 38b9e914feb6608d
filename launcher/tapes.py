"""The day that bin/up --tape replays, in the packed form that the market reads at once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from launcher.console import Refusal, step
from launcher.manage import manage_command


def packed(tape: Path, env: Mapping[str, str]) -> str:
    """The path of the packed copy in the data directory, made once per content of the file.

    Raises Refusal, with the reader's own line and exit status, for a file that is no tape.
    """
    memory = Path(env["ZEROHOUR_DATA"]) / "tapes" / "imported.json"
    known = json.loads(memory.read_text()) if memory.exists() else {}
    digest = hashlib.sha256(tape.read_bytes()).hexdigest()
    if not Path(known.get(digest, "")).is_file():
        known[digest] = _import(tape, env)
        memory.write_text(json.dumps(known, indent=1))
    return str(known[digest])


def _import(tape: Path, env: Mapping[str, str]) -> str:
    command = manage_command(["tape", "import", str(tape.absolute())])
    with step(f"Reading {tape.name}"):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{tape}: expected a tape"]
        raise Refusal(lines[-1], exit_status=done.returncode)
    return done.stdout.strip().splitlines()[-1]
