"""`bin/manage market probe tastytrade`, line by line, against the vendor on this machine."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from common.times import to_ms
from marketdata.feeds.live import probe
from marketdata.pacing import SystemWall
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT
from tests.marketdata.live.vendor_server import CLIENT_SECRET, VendorServer

A_LITTLE = 0.4
VARIABLES = ("TASTYTRADE_CLIENT_SECRET", "TASTYTRADE_REFRESH_TOKEN", "TASTYTRADE_API_URL")


@pytest.fixture
def wall():
    return SystemWall(OPEN_AT)


@pytest.fixture
def vendor(wall, monkeypatch):
    def now_ms() -> int:
        return to_ms(wall.now())

    with VendorServer(A_DAY, now_ms=now_ms, period_seconds=0.02) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        yield server


def probed(wall, seconds=A_LITTLE):
    """(exit status, {first word of a line: the rest})."""
    lines: list[str] = []
    status = probe.run("tastytrade", seconds, wall=wall, say=lines.append)
    return status, dict(line.split(maxsplit=1) for line in lines)


def test_a_vendor_that_works_is_told_step_by_step(vendor, wall):
    status, said = probed(wall)

    assert status == 0
    assert said["stream"] == "connected to 127.0.0.1, level api"
    assert said["chain"] == "181 strikes expire on 2026-05-07, 5500 to 6400"
    assert said["index"] == "SPX 5950, VIX 16.20"
    assert said["close"] == "2026-05-06 5923.45, final"
    assert said["quotes"].endswith("of 322 contracts")
    assert said["missing"] == "0 of 161 strikes"
    assert said["delay"].endswith("ms at most")
    assert said["verdict"] == "works"


def test_without_credentials_the_variables_are_named(monkeypatch, capsys):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SystemExit) as ended:
        call_command("market", "probe", "tastytrade")

    assert ended.value.code == 2
    assert "Set TASTYTRADE_CLIENT_SECRET and TASTYTRADE_REFRESH_TOKEN" in capsys.readouterr().out


def test_refused_credentials_are_said_without_them(vendor, wall, monkeypatch):
    monkeypatch.setenv("TASTYTRADE_REFRESH_TOKEN", "yesterdays-token")

    status, said = probed(wall)

    assert status == 2
    assert said["refused"] == "/oauth/token answers 400: invalid_grant Grant revoked or invalid"
    assert CLIENT_SECRET not in str(said)


def test_quotes_that_do_not_come_are_a_poor_feed(vendor, wall):
    vendor.trouble.sends_no_option_quotes = True

    status, said = probed(wall)

    assert status == 1
    assert said["missing"].startswith("161 of 161 strikes: 5550, 5555")
    assert said["verdict"] == "connected, but quotes are missing or late"


def test_delayed_quotes_are_a_poor_feed(vendor, wall):
    now_ms = vendor.now_ms
    vendor.now_ms = lambda: now_ms() - 15 * 60_000  # what the vendor's sandbox sends

    status, said = probed(wall)

    assert status == 1
    assert "9000" in said["delay"]


def test_an_index_that_does_not_come_is_said(vendor, wall, monkeypatch):
    monkeypatch.setattr(probe, "INDEX_WITHIN_SECONDS", 0.2)
    vendor.trouble.sends_only_heartbeats = True

    status, said = probed(wall)

    assert (status, said["index"]) == (1, "no value of SPX within 0.2 s")


def test_after_the_close_the_next_days_contracts_are_asked_for(vendor):
    vendor.trading_date = A_DAY.replace(day=8)

    status, said = probed(SystemWall(CLOSE_AT))

    assert status == 0
    assert said["credentials"] == "set; trying tastytrade for 2026-05-08"
    assert "the exchange is closed now" in said["verdict"]
