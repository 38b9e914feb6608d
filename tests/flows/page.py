"""Runs the commands of docs/walkthrough.md as they stand, one after the other, in a shell.

A block is named by the word after its language. Variables live on from block to block. `jq` is
played by a few lines of Python, for machines without it, which also keep the body it was given.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "walkthrough.md"
PRINTED_ADDRESS = "http://127.0.0.1:8000"
VARIABLES = "BASE TOKEN STRATEGY BOT SECOND SID SID2 LAST"
JQ = f"""\
#!{sys.executable}
import json, os, sys
body = sys.stdin.read()
open(os.environ["BODY"], "w").write(body)
print(json.loads(body).get(sys.argv[2].lstrip("."), "null"))
"""


def blocks() -> dict[str, str]:
    """The page's commands by name, in the order of the page."""
    found = re.findall(r"^```sh (\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    return dict(found)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class StreamEvent:
    id: tuple[int, int] | None
    event: str
    data: dict[str, Any]


class Page:
    def __init__(self, base_url: str, folder: Path) -> None:
        self._blocks = {
            name: text.replace(PRINTED_ADDRESS, base_url) for name, text in blocks().items()
        }
        self._folder = folder
        self._variables = folder / "variables"
        self._variables.touch()
        (folder / ".curlrc").write_text(f'max-time = 90\ndump-header = "{folder}/headers"\n')
        jq = folder / "jq"
        jq.write_text(JQ)
        jq.chmod(0o755)

    def run(self, name: str) -> Answer:
        """Run one block to its end; what the server said to its one call."""
        body = self._folder / "body"
        body.write_text("")
        done = subprocess.run(
            self._shell(name), env=self._environment(), capture_output=True, text=True, check=True
        )
        headers = (self._folder / "headers").read_text().splitlines()
        text = body.read_text() or done.stdout
        return Answer(
            status=int(headers[0].split()[1]),
            headers=dict(line.lower().split(": ", 1) for line in headers[1:] if line),
            body=json.loads(text) if text else None,
        )

    def set(self, variable: str, value: str) -> None:
        with self._variables.open("a") as stream:
            stream.write(f"{variable}={value}\n")

    def get(self, variable: str) -> str:
        """What a block has put into a variable."""
        script = f'. "{self._variables}"; printf %s "${variable}"'
        shell = ["bash", "-c", script]
        return subprocess.run(shell, capture_output=True, text=True, check=True).stdout

    @contextmanager
    def stream(self, name: str) -> Iterator[Path]:
        """Run a block that does not end; the file grows by what it prints until the exit."""
        output = self._folder / f"{name}.txt"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                self._shell(name), env=self._environment(), stdout=stream, start_new_session=True
            )
            try:
                yield output
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(timeout=10)

    def _shell(self, name: str) -> list[str]:
        keep = f'declare -p {VARIABLES} >"{self._variables}" 2>/dev/null || true'
        return ["bash", "-c", f'. "{self._variables}"\n{self._blocks[name]}\n{keep}']

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._folder}{os.pathsep}{os.environ['PATH']}",
            "CURL_HOME": str(self._folder),
            "BODY": str(self._folder / "body"),
            "LANG": "C.UTF-8",
        }


def stream_events(output: Path) -> list[StreamEvent]:
    """The complete events of a stream's output so far; comments are left out."""
    whole, _, _ = output.read_text("utf-8").rpartition("\n\n")
    found = []
    for block in whole.split("\n\n"):
        lines = [line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")]
        if lines:
            fields = dict(lines)
            at = fields.get("id")
            found.append(
                StreamEvent(
                    id=(int(at.split(".")[0]), int(at.split(".")[1])) if at else None,
                    event=fields["event"],
                    data=json.loads(fields["data"]),
                )
            )
    return found
