"""/metrics: who may read it, and that it says what is in the rows and what was counted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from common import metrics, presence
from common.models import Job
from sessions import halts
from sessions.models import BotSession
from sessions.services import start_session
from tests.factories import BotSessionFactory
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db


def scraped() -> dict[str, float]:
    """Sample to value, as Prometheus reads it."""
    lines = metrics.scrape().decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_only_this_host_may_scrape_without_a_token(settings):
    settings.METRICS_TOKEN = ""

    def status(address: str, **headers: str) -> int:
        return Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code

    assert status("127.0.0.1") == 200
    assert status("::1") == 200
    assert status("192.0.2.7") == 401
    assert status("") == 401
    assert status("127.0.0.1", **{"X-Forwarded-For": "192.0.2.7"}) == 401


def test_with_a_token_it_is_the_token_that_counts(settings):
    settings.METRICS_TOKEN = "s3cret"

    def status(**headers: str) -> int:
        return Client(REMOTE_ADDR="127.0.0.1").get("/metrics", headers=headers).status_code

    assert status() == 401
    assert status(authorization="Bearer wrong") == 401
    assert status(authorization="Bearer s3cret") == 200


def test_the_page_is_prometheus_text_and_never_cached():
    answer = Client().get("/metrics")

    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer["Cache-Control"] == "no-store"
    assert "# TYPE zerohour_sessions gauge" in answer.content.decode()


def test_sessions_leases_and_lag_come_from_the_rows():
    market.announce()
    market.publish([market.tick(seq) for seq in range(1, 41)])
    ago = timezone.now() - timedelta(seconds=12)
    BotSessionFactory(trading_date=market.DAY, last_tick_seq=10, lease_until=ago, takeovers=2)
    BotSessionFactory(trading_date=market.DAY, settled=True, takeovers=1)
    BotSessionFactory(trading_date=market.DAY, status="scheduled")

    found = scraped()

    assert found['zerohour_sessions{status="running"}'] == 1
    assert found['zerohour_sessions{status="completed"}'] == 1
    assert found['zerohour_sessions{status="halted"}'] == 0
    assert found["zerohour_ticks_behind"] == 40
    assert found["zerohour_unowned_sessions"] == 1  # the scheduled one is not due
    assert 16 < found["zerohour_oldest_lease_seconds"] < 30  # 12 s past a lease of 5 s
    assert found["zerohour_session_takeovers"] == 3
    assert found["zerohour_market_last_tick"] == 40


def test_a_quarantined_session_and_a_late_settlement_show():
    market.announce()
    market.close()
    market.MarketDay.objects.update(closed_at=timezone.now() - timedelta(minutes=2))
    BotSessionFactory(trading_date=market.DAY, status="failed")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bot_sessions_botsession SET lease_until = 'infinity'")

    found = scraped()

    assert found["zerohour_quarantined_sessions"] == 1
    assert found["zerohour_late_settlements"] == 1
    assert found["zerohour_oldest_lease_seconds"] == 0


def test_a_closed_day_without_a_value_shows():
    market.announce()
    market.publish([market.tick(1)])
    market.close(settlement_cents=None)

    assert scraped()["zerohour_market_days_without_settlement"] == 1


def test_a_runner_counts_its_commits_ticks_and_events(alice, make_bot, open_market, runner):
    before = scraped()
    start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    drive(driver)
    market.publish([market.tick(seq) for seq in range(2, 8)])
    market.publish([market.tick(8, put_up_cents=20)])
    drive(driver)

    after = scraped()

    def grew(name: str) -> float:
        return after[name] - before[name]

    assert grew("zerohour_session_ticks_total") == 7
    assert grew("zerohour_commit_seconds_count") > 0
    assert grew('zerohour_session_events_total{kind="order_placed"}') == 1
    assert grew('zerohour_session_events_total{kind="filled"}') == 1
    assert grew('zerohour_session_events_total{kind="rejected"}') == 0


def test_a_commit_for_a_session_of_somebody_else_is_counted(alice, make_bot, open_market, runner):
    before = scraped()["zerohour_lost_sessions_total"]
    start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    drive(driver)
    BotSession.objects.update(epoch=99)
    market.publish([market.tick(2)])
    drive(driver)

    assert scraped()["zerohour_lost_sessions_total"] == before + 1


def test_answers_are_counted_by_route_and_not_by_address(client):
    name = 'zerohour_http_requests_total{method="GET",route="api/bots/<uuid:bot_id>",status="401"}'
    before = scraped().get(name, 0)

    for bot_id in ("a" * 8, "b" * 8):
        client.get(f"/api/bots/{bot_id}-0000-0000-0000-000000000000")
    client.get("/api/no/such/route")

    found = scraped()
    assert found[name] == before + 2
    assert found['zerohour_http_requests_total{method="GET",route="none",status="404"}'] > 0
    assert not [sample for sample in found if "no/such" in sample]


def test_a_reader_that_fails_says_so_and_hides_no_other(monkeypatch):
    def broken() -> list:
        raise RuntimeError("no")

    monkeypatch.setitem(metrics._readers, "broken", broken)

    found = scraped()

    assert found['zerohour_reader_up{source="broken"}'] == 0
    assert found['zerohour_reader_up{source="sessions"}'] == 1


def test_jobs_the_switch_and_processes_show():
    Job.objects.create(name="a.b", last_success_at=timezone.now(), failure_count=3)
    presence.say('{"kind": "worker", "host": "h", "pid": 1, "started_at": 1.5}')
    halts.halt_everything(by=None, reason="why", flatten=False, now=timezone.now())

    found = scraped()

    assert found['zerohour_job_failures_total{job="a.b"}'] == 3
    assert found['zerohour_job_last_success_timestamp_seconds{job="a.b"}'] > 1.7e9
    assert found["zerohour_trading_halted"] == 1
    assert found['zerohour_processes{kind="worker"}'] >= 1
    assert 'zerohour_processes{kind="market"}' in found


def test_every_name_is_ours_and_has_its_unit_or_says_what_it_counts():
    text = metrics.scrape().decode()

    names = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    ours = {name for name in names if name.startswith("zerohour_")}
    assert ours
    assert all(f"# HELP {name} " in text for name in ours)
