"""bin/compile-requirements: from requirements.in and requirements/*.in to pinned, hashed files."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from launcher import bootstrap
from launcher.console import Refusal, progress
from launcher.paths import ROOT

# Constraints come first: the others are compiled to agree with requirements.txt.
FILES = (bootstrap.BASE, bootstrap.EMBEDDED, bootstrap.DEV, bootstrap.INSTALLER)
OLDEST_PYTHON = "3.11"


def run(arguments: Sequence[str]) -> int:
    """Further arguments go to `uv pip compile` (for example --upgrade)."""
    uv = bootstrap.uv()
    if uv is None:
        raise Refusal("uv could not be installed: see to it that the package index can be reached.")
    for target in FILES:
        source = target.removesuffix(".txt") + ".in"
        progress(f"{source} → {target}")
        options = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet"]
        options += ["--python-version", OLDEST_PYTHON, "-o", target, *arguments]
        done = subprocess.run([uv, "pip", "compile", source, *options], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    return 0
