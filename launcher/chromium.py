"""The Chromium of the browser tests: an installed one, else one that Playwright downloads."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from launcher.console import progress
from launcher.paths import VENV_PYTHON

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOADED = ("chrome", "headless_shell", "chrome-headless-shell")
DOWNLOAD_PATIENCE_SECONDS = 300
NONE_FOUND = (
    "NO BROWSER WAS TESTED: no Chromium was found and none could be downloaded. Install Debian's"
    " package chromium, or name one in CHROMIUM."
)


def find() -> str | None:
    """The one named in CHROMIUM, else an installed one, else Playwright's; None without one."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    installed = (found for name in names if name and (found := shutil.which(name)))
    return next(installed, None) or _downloaded()


def obtain() -> str | None:
    """The same, downloaded where there is none; None, and why above, where that fails."""
    found = find()
    if found is not None:
        return found
    progress("No Chromium is installed; asking Playwright to download one …")
    command = [str(VENV_PYTHON), "-m", "playwright", "install", "--only-shell", "chromium"]
    try:
        subprocess.run(command, check=False, timeout=DOWNLOAD_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        progress(f"It did not come within {DOWNLOAD_PATIENCE_SECONDS} s.")
    return find()


def _downloaded() -> str | None:
    kept = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"
    found = sorted(path for name in DOWNLOADED for path in Path(kept).glob(f"chromium*/*/{name}"))
    return str(found[-1]) if found else None
