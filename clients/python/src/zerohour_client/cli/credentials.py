"""Where tokens are kept: one file that only its owner can read, a token for each server."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from zerohour_client.cli.failures import Failure

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def file() -> Path:
    """`ZEROHOUR_CONFIG`, else `zerohour/tokens.json` in the user's configuration directory."""
    given = os.environ.get("ZEROHOUR_CONFIG")
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(given) if given else Path(home) / "zerohour" / "tokens.json"


def load(url: str) -> str | None:
    """The token kept for this server."""
    token = _read(file()).get(url)
    return str(token) if token else None


def save(url: str, token: str) -> None:
    _write(file(), {**_read(file()), url: token})


def forget(url: str) -> None:
    kept = _read(file())
    if kept.pop(url, None) is not None:
        _write(file(), kept)


def _read(path: Path) -> dict[str, Any]:
    """Raises Failure for a file that others can read, or that is not ours."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise Failure(f"{path} cannot be read: {exc.strerror}.") from exc
    if mode & OTHERS:
        raise Failure(f"{path} can be read by others: make it yours alone with chmod 600 {path}")
    try:
        kept = json.loads(text)
    except ValueError as exc:
        raise Failure(f"{path} is no JSON: delete it and log in again.") from exc
    return kept if isinstance(kept, dict) else {}


def _write(path: Path, kept: dict[str, Any]) -> None:
    """Whole or not at all; a temporary file is born with 0600."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(kept, stream, indent=2)
        Path(name).replace(path)
    except OSError as exc:
        raise Failure(f"{path} cannot be written: {exc.strerror}.") from exc
