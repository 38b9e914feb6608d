"""The whole system on a live feed: a vendor of our own, the wall clock set to the last minute of
a day, a lost connection, a close without a value, the value later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from common.times import to_ms
from tests.flows.api import Api, wait_until
from tests.flows.forms import put_spread
from tests.flows.stack import Stack
from tests.marketdata.live.vendor_server import ACCESS_TOKEN, CLIENT_SECRET, VendorServer
from tests.marketdata.live.vendor_server import QUOTE_TOKEN as QUOTES
from tests.marketdata.live.vendor_server import REFRESH_TOKEN as REFRESH

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
DAY = date(2026, 5, 7)
STARTS_AT = datetime(2026, 5, 7, 19, 59, 20, tzinfo=UTC)  # 40 s before the close
LOOKS_AT = [f"15:59:{second}" for second in range(30, 60, 5)]  # one entry, when it has started


@pytest.fixture(scope="module")
def vendor() -> Iterator[VendorServer]:
    started = time.monotonic()

    def now_ms() -> int:
        return to_ms(STARTS_AT + timedelta(seconds=time.monotonic() - started))

    with VendorServer(DAY, now_ms=now_ms) as server:
        yield server


@pytest.fixture(scope="module")
def stack(vendor: VendorServer) -> Iterator[Stack]:
    options = f"--feed live:tastytrade --pretend-now {STARTS_AT.isoformat()}"
    with Stack(market_options=options, env=vendor.env) as running:
        yield running


def test_a_session_lives_through_a_lost_connection_and_settles_on_the_vendors_final_close(
    stack: Stack, vendor: VendorServer
):
    api = Api.signed_up(stack, "alice@example.com")
    form = put_spread(*LOOKS_AT, points_otm=-5, order="market", max_entries=1)
    bot = api.make_bot("live", form)
    idle = api.make_bot("idle", form)
    wait_until(api.has_opened, "the first live tick")

    session = api.post(f"/bots/{bot}/sessions")
    chain = api.get("/market-data/chain")

    vendor.trouble.refuses_quote_tokens = True
    vendor.hang_up()
    wait_until(lambda: not api.market()["is_healthy"], "the lost feed shows")
    status, refusal = api.call("POST", f"/bots/{idle}/sessions")
    vendor.trouble.refuses_quote_tokens = False
    wait_until(lambda: api.market()["is_healthy"], "the feed is back")

    wait_until(lambda: api.market()["phase"] == "closed", "the close")
    wait_until(lambda: api.session(bot, DAY)["status"] == "settling", "the session waits")
    before = api.market()
    vendor.official_close = (5941.0, "FINAL")
    ran = api.settled(bot, DAY)

    assert (session["status"], session["date"]) == ("registering", "2026-05-07")
    assert (chain["spot"], chain["vix"], len(chain["chain"])) == ("5950", "16.20", 161)
    assert (status, refusal["error"]) == (503, "live_trading_unavailable")
    assert (before["feed"], before["settlement"]) == ("live:tastytrade", None)
    assert api.market()["settlement"] == {"value": "5941", "source": "official"}
    assert (ran.session["status"], ran.outcomes.count("filled")) == ("completed", 1)
    # At 5941 the short 5955 put is 14 points in the money, the long 5930 one is not.
    ends = {row["type"]: row["instrument"][-9:] for row in ran.transactions}
    assert (ends["assignment"], ends["expiration"]) == ("P05955000", "P05930000")


def test_no_secret_is_in_any_log(stack: Stack):
    everything = stack.output() + stack.log("market")

    assert "live:tastytrade: connected to 127.0.0.1" in everything
    for secret in (CLIENT_SECRET, REFRESH, f"{ACCESS_TOKEN}-1", f'"{QUOTES}"'):
        assert secret not in everything
