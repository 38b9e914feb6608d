from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from launcher.console import Refusal
from launcher.data_dir import DataDir, Runtime
from launcher.paths import ROOT
from launcher.processes import birth


def test_a_new_directory_is_marked_and_closed_to_others(data_dir):
    mode = stat.S_IMODE(data_dir.path.stat().st_mode)

    assert (data_dir.path / ".zerohour").exists()
    assert not mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH)


def test_a_directory_with_something_else_in_it_is_not_taken_over(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(Refusal, match="holds something else than Zerohour's data"):
        DataDir(tmp_path).open()


def test_a_directory_that_only_holds_tapes_is_ours(tmp_path):
    (tmp_path / "tapes").mkdir()

    DataDir(tmp_path).open()

    assert (tmp_path / ".zerohour").exists()


def test_reset_refuses_a_directory_without_our_mark_and_deletes_nothing(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(Refusal, match="nothing was deleted"):
        DataDir(tmp_path).require_mark()

    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_reset_deletes_what_is_there_and_says_what(data_dir):
    (data_dir.path / "tapes" / "2026-05-07.parquet").write_text("a day")
    first = data_dir.secrets()

    gone = data_dir.reset()

    assert gone == ["logs", "secrets.json", "tapes"]
    assert data_dir.secrets().postgres_password != first.postgres_password


def test_reset_does_not_follow_a_link_out_of_the_directory(data_dir, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.tex").write_text("precious")
    (data_dir.path / "link").symlink_to(outside)

    data_dir.reset()

    assert (outside / "thesis.tex").exists()
    assert not (data_dir.path / "link").exists()


def test_a_locked_directory_is_refused_naming_its_holder(data_dir):
    with data_dir.locked("up"):
        second = DataDir(data_dir.path).locked("up")
        with pytest.raises(Refusal, match=r"bin/up \(process \d+\) is using .*: stop it first"):
            second.__enter__()

        assert data_dir.is_locked()
    assert not data_dir.is_locked()


def test_the_lock_of_a_dead_process_is_taken_over(data_dir):
    script = (
        "import os, sys; from pathlib import Path; from launcher.data_dir import DataDir\n"
        "with DataDir(Path(sys.argv[1])).locked('up'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(data_dir.path)], cwd=ROOT, check=False)

    with data_dir.locked("up"):
        assert data_dir.is_locked()


def test_secrets_stay_the_same_and_are_for_the_owner_only(data_dir):
    first = data_dir.secrets()
    first.postgres_port = 5433
    data_dir.keep_secrets(first)

    assert data_dir.secrets() == first
    assert stat.S_IMODE((data_dir.path / "secrets.json").stat().st_mode) == 0o600


def test_a_runtime_counts_only_while_its_process_lives(data_dir):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    runtime = Runtime(child.pid, birth(child.pid) or "", "http://127.0.0.1:1", {"A": "b"})
    data_dir.write_runtime(runtime)

    assert data_dir.read_runtime() == runtime
    assert runtime.is_live()
    child.communicate()
    assert not runtime.is_live()
    data_dir.clear_runtime()
    assert data_dir.read_runtime() is None


def test_the_counters_of_ended_processes_are_gone_with_the_next_start(data_dir):
    (data_dir.fresh_metrics() / "counter_123.db").touch()

    path = data_dir.fresh_metrics()

    assert list(path.iterdir()) == []
    assert not path.stat().st_mode & 0o077
