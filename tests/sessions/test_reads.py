"""The reads below a session: shapes of contract.md section 5 and their refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.times import rfc3339
from sessions import services
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db

READS = [
    "",
    "/orders",
    "/positions",
    "/transactions",
    "/financials",
    "/decision-log",
    "/events",
    "/entries",
]


@pytest.fixture
def traded(alice, make_bot, open_market, runner):
    """A running session after 60 seconds: 5945/5920 sold at 2.45 on tick 27."""
    bot = make_bot(put_spread())
    session = services.start_session(user=alice, bot_id=bot.pk)
    market.publish([market.tick(seq) for seq in range(2, 61)])
    drive(runner())
    session.refresh_from_db()
    return session


@pytest.fixture
def read(alice, client_for, traded):
    client = client_for(alice)
    base = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}"

    def get(path, **query):
        return client.get(base + path, query)

    return get


@pytest.mark.parametrize("path", READS)
def test_a_read_needs_a_token(client, traded, path):
    response = client.get(f"/api/bots/{traded.bot_id}/sessions/{traded.pk}{path}")

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", READS)
def test_anothers_session_looks_like_none(bob, client_for, traded, path):
    client = client_for(bob)
    unknown = "00000000-0000-4000-8000-000000000000"

    anothers = client.get(f"/api/bots/{traded.bot_id}/sessions/{traded.pk}{path}")
    nobodys = client.get(f"/api/bots/{traded.bot_id}/sessions/{unknown}{path}")

    assert (anothers.status_code, anothers.json()["error"]) == (404, "not_found")
    assert anothers.content == nobodys.content.replace(unknown.encode(), str(traded.pk).encode())


@pytest.mark.parametrize("path", READS)
def test_a_session_is_found_below_its_own_bot_only(alice, client_for, make_bot, traded, path):
    other = make_bot(put_spread())

    response = client_for(alice).get(f"/api/bots/{other.pk}/sessions/{traded.pk}{path}")

    assert response.status_code == 404


def test_the_session_object(read, traded):
    body = read("").json()

    assert body["session_id"] == str(traded.pk)
    assert (body["status"], body["status_reason"]) == ("running", None)
    assert (body["opening_balance"], body["slippage"]) == ("25000", "0.05")
    assert body["started_at"] == "2026-05-07T13:30:01.000Z"
    assert body["last_tick_at"] == "2026-05-07T13:30:59.000Z"
    assert (body["tick_count"], body["error_count"]) == (59, 0)
    rolled_up = ["final_nlv", "realized_pl", "total_pl", "total_fees", "max_intraday_dd"]
    rolled_up += ["max_intraday_dd_pct", "peak_nlv", "trough_nlv", "order_count", "fill_count"]
    assert {name: body[name] for name in rolled_up} == dict.fromkeys(rolled_up)


def test_an_order_with_its_transactions(read):
    (order,) = read("/orders").json()

    transactions = order.pop("transactions")
    assert order.pop("id") == transactions[0]["order_id"]
    assert order == {
        "type": "limit",
        "kind": "opening",
        "status": "filled",
        "price": "2.45",
        "price_effect": "credit",
        "legs": [
            {
                "instrument": "SPXW  260507P05945000",
                "quantity": "1",
                "action": "sell to open",
            },
            {"instrument": "SPXW  260507P05920000", "quantity": "1", "action": "buy to open"},
        ],
        "intended_price": "2.50",
        "concession": "0.05",
        "replace_count": 1,
        "placed_at": "2026-05-07T13:30:05.000Z",
        "fill_price": "2.45",
        "fill_datetime": "2026-05-07T13:30:26.000Z",
        "fees": "3.44",
        "reject_reason": None,
        # 25 points × 100 of margin, less the credit of 2.50 it asked for, and two opening fees.
        "buying-power-effect": {"margin": "2500", "available_buying_power": "-2253.44"},
    }


def test_orders_by_status(read):
    assert len(read("/orders", status="filled").json()) == 1
    assert read("/orders", status="pending").json() == []
    refused = read("/orders", status="open")
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["status"])


def test_positions_are_marked_against_the_latest_tick(read):
    market.publish([market.tick(61, put_up_cents=20)])  # no runner has seen it yet

    long, short = read("/positions").json()

    assert (short["instrument"], short["direction"]) == ("SPXW  260507P05945000", "short")
    # Sold at the mid 3.05 less the 0.05 of slippage; marked at 3.25: (3.00 - 3.25) × 100.
    assert (short["cost_basis"], short["price"]) == ("300", "3.25")
    assert short["unrealized_profit_loss"] == "-25"
    assert short["total_profit_loss"] == "-26.72"
    assert short["delta"] == "0.4750"  # short puts are long the market
    assert (long["direction"], long["quantity"], long["delta"]) == ("long", "1", "-0.3500")


def test_the_transaction_log(read):
    sold, bought = read("/transactions").json()

    assert (sold["type"], sold["price"], sold["value"]) == ("sell to open", "300", "300")
    assert (sold["effect"], sold["fees"]) == ("credit", "1.72")
    assert (bought["type"], bought["value"], bought["effect"]) == ("buy to open", "55", "debit")


def test_the_financial_line_holds_the_identity_every_second(read):
    rows = read("/financials").json()

    assert len(rows) == 59
    assert [row["datetime"] for row in rows[:2]] == [
        "2026-05-07T13:30:01.000Z",
        "2026-05-07T13:30:02.000Z",
    ]
    for row in rows:
        cents = {k: round(float(v) * 100) for k, v in row.items() if k != "datetime"}
        profit = cents["net_liquidation_value"] - 2_500_000
        parts = cents["realized_profit_loss"] + cents["unrealized_profit_loss"] - cents["fees"]
        assert cents["profit_loss"] == profit == parts
    # 2.45 received, mid 2.50, 3.44 of fees.
    assert rows[-1]["net_liquidation_value"] == "24991.56"
    assert rows[-1]["cash"] == "25241.56"
    assert rows[-1]["maintenance_margin"] == "2500"
    assert rows[-1]["available_buying_power"] == "22741.56"


def test_the_line_by_interval_and_since(read):
    every_ten = read("/financials", interval=10).json()
    late = read("/financials", since=rfc3339(market.from_open(57))).json()

    assert [row["datetime"][17:19] for row in every_ten] == ["09", "19", "29", "39", "49", "59"]
    assert [row["datetime"][17:19] for row in late] == ["58", "59"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"interval": 0}, "interval"),
        ({"interval": 3601}, "interval"),
        ({"interval": "x"}, "interval"),
        ({"since": "yesterday"}, "since"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_bad_query_of_the_line_names_its_parameter(read, query, field):
    response = read("/financials", **query)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_the_line_as_csv(alice, client_for, traded):
    response = client_for(alice).get(
        f"/api/bots/{traded.bot_id}/sessions/{traded.pk}/financials", headers={"Accept": "text/csv"}
    )

    lines = response.content.decode().splitlines()
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[0].startswith("datetime,net_liquidation_value,cash,")
    assert len(lines) == 60


def test_the_decision_log_explains_the_entry(read):
    (entry,) = read("/decision-log").json()

    assert (entry["seq"], entry["kind"]) == (1, "log")
    assert entry["message"] == "entry 09:30:05"
    assert entry["data"]["legs"] == ["sell 1 put 5945", "buy 1 put 5920"]


def test_events_tell_every_step_of_the_order(read):
    events = read("/events").json()

    kinds = [event["kind"] for event in events]
    repriced = next(event["data"] for event in events if event["kind"] == "repriced")
    assert kinds[:5] == ["status", "status", "started", "entry_planned", "status"]
    assert repriced["old_cents"] == -250
    assert (repriced["new_cents"], repriced["peg_cents"], repriced["rule"]) == (-245, -250, "nudge")
    assert repriced["concession_cents"] == repriced["new_cents"] - repriced["old_cents"]


def test_the_scheduled_entry_and_its_outcome(read):
    (entry,) = read("/entries").json()

    assert entry["scheduled_at"] == "2026-05-07T13:30:05.000Z"
    assert entry["outcome"] == "filled"
    assert entry["order_id"] == read("/orders").json()[0]["id"]


def test_pages_of_events_join_without_gap_or_repeat(read, client_for, alice):
    whole = read("/events").json()
    client = client_for(alice)

    page = read("/events", limit=4)
    joined = page.json()
    while "Link" in page.headers:
        url = page.headers["Link"].split(">")[0].lstrip("<")
        page = client.get(url)
        joined += page.json()

    assert joined == whole


def test_sessions_of_a_bot_newest_first(alice, bob, client_for, traded):
    url = f"/api/bots/{traded.bot_id}/sessions"

    mine = client_for(alice).get(url)
    anothers = client_for(bob).get(url)

    assert [row["session_id"] for row in mine.json()] == [str(traded.pk)]
    assert anothers.status_code == 404


def test_a_stop_is_accepted_once_and_again(alice, client_for, traded):
    client = client_for(alice)
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}"

    first = client.delete(url)
    again = client.delete(url)

    assert (first.status_code, first.json()["status"]) == (202, "killing")
    assert again.status_code == 202
    assert traded.requests.count() == 1


@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "/cancel-all-orders")])
def test_an_ended_session_takes_no_requests(alice, client_for, traded, runner, method, path):
    market.publish([market.tick(61, second=60)])
    market.close()
    traded.__class__.objects.update(lease_until=None)
    drive(runner())

    client = client_for(alice)
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}{path}"
    response = getattr(client, method)(url)

    assert (response.status_code, response.json()["error"]) == (409, "session_terminal")


@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "/cancel-all-orders")])
def test_requests_have_their_refusals(bob, client, client_for, traded, method, path):
    url = f"/api/bots/{traded.bot_id}/sessions/{traded.pk}{path}"

    unsigned = getattr(client, method)(url)
    strangers = getattr(client_for(bob), method)(url)

    assert unsigned.status_code == 401
    assert (strangers.status_code, strangers.json()["error"]) == (404, "not_found")
    assert not traded.requests.exists()


def test_a_settled_session_has_its_roll_up(read, traded, runner):
    traded.__class__.objects.update(lease_until=None)
    market.close(settlement_cents=594_000)
    drive(runner())

    body = read("").json()

    # 2.45 in, 5.00 of intrinsic out, 3.44 + 5.00 of fees.
    assert (body["status"], body["final_nlv"]) == ("completed", "24736.56")
    assert (body["realized_pl"], body["total_pl"], body["total_fees"]) == (
        "-255",
        "-263.44",
        "8.44",
    )
    assert (body["order_count"], body["fill_count"]) == (1, 1)
    assert body["settled_at"] == rfc3339(market.CLOSE_AT)
    assert body["peak_nlv"] == "25000"
    assert body["max_intraday_dd_pct"] == "0.0105"
    positions = read("/positions").json()
    assert [row["direction"] for row in positions] == ["zero", "zero"]


def test_the_line_of_a_settled_session_is_one_chunk_with_every_second(read, traded, runner):
    traded.__class__.objects.update(lease_until=None)
    driver = runner()
    for seq in range(61, 100):
        market.publish([market.tick(seq)])
        drive(driver)
    before = read("/financials").content
    chunks_before = traded.financials.count()

    market.close()
    drive(driver)

    assert (chunks_before > 1, traded.financials.count()) == (True, 1)
    assert read("/financials").content == before
    assert timedelta(seconds=len(read("/financials").json())) == timedelta(seconds=98)
