from __future__ import annotations

import os
import signal
import socket

import psycopg
import pytest
import redis

from launcher.broker import EmbeddedBroker
from launcher.console import Refusal
from launcher.postgres import EmbeddedPostgres, find_programs, major_version
from launcher.processes import birth
from launcher.services import Services


@pytest.fixture(autouse=True)
def no_services_of_the_environment(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMBEDDED_PG_BIN"):
        monkeypatch.delenv(name, raising=False)


def postgres_of(data_dir, *, is_durable: bool = False) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, data_dir.secrets(), is_durable=is_durable)


def number_in(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


def keep_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")


def test_both_services_run_as_long_as_the_context_and_keep_their_data(data_dir):
    with Services(data_dir, is_durable=False) as first:
        assert first.has_new_database
        keep_a_row(first.env["DATABASE_URL"])
        redis.Redis.from_url(first.env["REDIS_URL"]).set("kept", "1")
    with Services(data_dir, is_durable=False) as second:
        assert not second.has_new_database
        assert second.env == first.env
        assert number_in(second.env["DATABASE_URL"]) == 1
        assert redis.Redis.from_url(second.env["REDIS_URL"]).get("kept") == b"1"

    assert not (data_dir.path / "processes.json").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second.env["DATABASE_URL"])


def test_a_wrong_password_opens_neither_service(data_dir):
    with Services(data_dir, is_durable=False) as services:
        postgres_port = data_dir.secrets().postgres_port
        broker_port = data_dir.secrets().broker_port

        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgres://zerohour:guess@127.0.0.1:{postgres_port}/zerohour")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=broker_port).ping()
        assert services.env["SECRET_KEY"] == data_dir.secrets().site_key


def test_services_of_the_environment_take_the_place_of_ours(data_dir, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/zerohour")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")

    with Services(data_dir) as services:
        assert services.env["DATABASE_URL"] == "postgres://elsewhere/zerohour"
        assert services.env["REDIS_URL"] == "redis://elsewhere/0"
    assert not (data_dir.path / "postgres").exists()
    assert not (data_dir.path / "broker").exists()


def test_postgres_starts_again_after_it_was_killed(data_dir):
    killed = postgres_of(data_dir, is_durable=True)
    killed.start()
    keep_a_row(killed.url)
    os.kill(killed.process.pid, signal.SIGKILL)

    again = postgres_of(data_dir, is_durable=True)
    is_new = again.start()

    assert not is_new
    assert number_in(again.url) == 1
    again.stop()


def test_a_server_that_a_killed_start_left_running_is_stopped_first(data_dir):
    left_over = postgres_of(data_dir)
    left_over.start()
    (data_dir.path / "processes.json").unlink()

    again = postgres_of(data_dir)
    again.start()

    assert birth(left_over.process.pid) is None
    assert birth(again.process.pid) is not None
    again.stop()


def test_half_a_cluster_is_made_anew(data_dir):
    postgres = postgres_of(data_dir)
    partial = postgres.cluster.with_name("postgres.partial")
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18")

    assert postgres.start() is True

    assert not partial.exists()
    postgres.stop()


def test_a_taken_port_is_left_to_its_owner(data_dir):
    first = postgres_of(data_dir)
    first.start()
    first.stop()
    port = data_dir.secrets().postgres_port

    with socket.create_server(("127.0.0.1", port)):
        second = postgres_of(data_dir)
        second.start()

        assert data_dir.secrets().postgres_port != port
        second.stop()


def test_a_cluster_of_another_version_is_refused_with_what_to_do(data_dir):
    postgres = postgres_of(data_dir)
    postgres.start()
    postgres.stop()
    (postgres.cluster / "PG_VERSION").write_text("12\n")

    with pytest.raises(Refusal, match=r"was made by PostgreSQL 12 .* EMBEDDED_PG_BIN"):
        postgres_of(data_dir).start()


def test_a_folder_without_programs_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDDED_PG_BIN", str(tmp_path))

    with pytest.raises(Refusal, match="holds no initdb"):
        find_programs()


def test_the_embedded_programs_are_of_a_version_we_support():
    assert major_version(find_programs()) >= 14


def test_a_broker_that_cannot_start_says_where_the_reason_is(data_dir):
    (data_dir.path / "broker").mkdir()
    (data_dir.path / "broker" / "appendonlydir").write_text("not a directory")
    broker = EmbeddedBroker(data_dir, data_dir.secrets())

    with pytest.raises(Refusal, match=r"broker\.log says why"):
        broker.start()
    broker.stop()
