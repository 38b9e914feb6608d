"""Which browser the browser tests get, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from launcher import chromium, test


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser; what it keeps of Playwright's is in the folder."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "kept"))
    return tmp_path


def program(path: Path, script: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return path


def test_an_installed_browser_comes_before_a_downloaded_one(bare: Path) -> None:
    assert chromium.find() is None

    downloaded = program(bare / "kept/chromium_headless_shell-1/chrome-linux/headless_shell")
    assert chromium.find() == str(downloaded)
    installed = program(bare / "bin/chromium")
    assert chromium.find() == str(installed)


def test_the_named_browser_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "bin/chromium")
    named = program(bare / "mine")

    monkeypatch.setenv("CHROMIUM", str(named))

    assert chromium.find() == str(named)


def test_playwright_is_asked_for_one_where_there_is_none(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    come = bare / "kept/chromium-1/chrome-linux64/chrome"
    asked = bare / "asked"
    python = program(
        bare / "python",
        f'#!/bin/sh\necho "$@" > {asked}\n/bin/mkdir -p {come.parent}\n: > {come}\n',
    )
    monkeypatch.setattr(chromium, "VENV_PYTHON", python)

    found = chromium.obtain()

    assert found == str(come)
    assert asked.read_text().split() == ["-m", "playwright", "install", "--only-shell", "chromium"]


def test_without_a_browser_the_last_line_says_so_loudly(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chromium, "VENV_PYTHON", program(bare / "python", "#!/bin/sh\nexit 1\n"))
    monkeypatch.setattr(test, "_run", lambda checks: 0)

    status = test.run([])

    assert status == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("!! NO BROWSER WAS TESTED")
