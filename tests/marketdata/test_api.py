import time
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from common import health
from common.times import to_ms
from marketdata import services, ticklog
from marketdata.models import Tick
from simengine.market import MISSING
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT, WALL, make_day, make_tick

pytestmark = pytest.mark.django_db

STATUS, CHAIN = "/api/market-data/status", "/api/market-data/chain"
HISTORY = f"/api/market-data/historical/{A_DAY}"


@pytest.fixture
def client(alice, client_for):
    return client_for(alice)


@pytest.fixture
def market_day():
    ticklog.drop_partition(A_DAY)  # no flush of a transactional test empties the log
    ticklog.create_partition(A_DAY)
    return make_day(source="synthetic:42")


def publish(day, ticks, market_at):
    services.publish(day=day, ticks=ticks, market_ms=to_ms(market_at), speed=30.0, now=WALL)


@pytest.mark.parametrize("path", [STATUS, CHAIN, HISTORY])
def test_market_data_is_for_users(path, client_for):
    response = APIClient().get(path)

    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", [STATUS, CHAIN, HISTORY])
def test_market_data_is_read_only(path, client):
    response = client.post(path, {}, format="json")

    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")


def test_the_status_of_an_open_market(client, market_day):
    market_at = OPEN_AT + timedelta(seconds=2, milliseconds=400)
    publish(market_day, [make_tick(1), make_tick(2), make_tick(3)], market_at)

    body = client.get(STATUS).json()

    assert body == {
        "feed": "synthetic:42",
        "trading_date": "2026-05-07",
        "phase": "open",
        "is_open": True,
        "is_healthy": True,
        "market_time": "2026-05-07T13:30:02.400Z",
        "speed": "30",
        "open_at": "2026-05-07T13:30:00.000Z",
        "close_at": "2026-05-07T20:00:00.000Z",
        "last_tick_at": "2026-05-07T13:30:02.000Z",
        "last_tick_age_ms": 400,
        "settlement": None,
    }


def test_the_status_of_a_settled_day(client, market_day):
    publish(market_day, [make_tick(1)], CLOSE_AT)
    services.close_day(day=market_day, settlement=(595187, "official"), now=WALL)

    body = client.get(STATUS).json()

    assert (body["phase"], body["is_open"]) == ("closed", False)
    assert body["settlement"] == {"value": "5951.87", "source": "official"}


def test_the_status_where_no_market_ever_ran(client):
    body = client.get(STATUS).json()

    assert (body["phase"], body["is_healthy"], body["trading_date"]) == ("closed", False, None)
    assert body["feed"] is None


def test_the_chain_is_the_latest_tick_in_decimal_strings(client, market_day):
    tick = make_tick(
        2,
        call_bid_cents=[1350, 1060, MISSING],
        call_delta_e4=[5900, 10_000, MISSING],
        vix_hundredths=None,
    )
    publish(market_day, [make_tick(1), tick], OPEN_AT)

    body = client.get(CHAIN).json()

    assert body["datetime"] == "2026-05-07T13:30:01.000Z"
    assert (body["spot"], body["vix"], body["expected_move"]) == ("5950.25", None, "21.50")
    assert body["chain"][0] == {
        "strike": "5945",
        "call": {"bid": "13.50", "ask": "13.70", "delta": "0.5900"},
        "put": {"bid": "8.20", "ask": "8.40", "delta": "0.4100"},
    }
    assert body["chain"][1]["call"]["delta"] == "1.0000"
    assert body["chain"][2]["call"] == {"bid": None, "ask": "8.20", "delta": None}


def test_before_the_open_the_chain_is_the_one_of_the_day_before(client, market_day):
    publish(market_day, [make_tick(1)], OPEN_AT)
    make_day(trading_date=A_DAY + timedelta(days=1))

    assert client.get(CHAIN).json()["trading_date"] == "2026-05-07"


def test_without_any_tick_there_is_no_chain(client):
    response = client.get(CHAIN)

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_a_recorded_day_has_a_row_a_second(client, market_day):
    publish(market_day, [make_tick(1), make_tick(2, spot_cents=595100)], OPEN_AT)

    body = client.get(HISTORY).json()

    assert body == [
        {
            "datetime": "2026-05-07T13:30:00.000Z",
            "spx": "5950.25",
            "vix": "16.20",
            "expected_move": "21.50",
        },
        {
            "datetime": "2026-05-07T13:30:01.000Z",
            "spx": "5951",
            "vix": "16.20",
            "expected_move": "21.50",
        },
    ]


def test_an_interval_keeps_the_last_tick_of_each_and_a_series_only_itself(client, market_day):
    publish(market_day, [make_tick(n, spot_cents=595000 + n) for n in range(1, 8)], OPEN_AT)

    body = client.get(f"{HISTORY}?interval=3&series=spx").json()

    assert body == [
        {"datetime": "2026-05-07T13:30:02.000Z", "spx": "5950.03"},
        {"datetime": "2026-05-07T13:30:05.000Z", "spx": "5950.06"},
        {"datetime": "2026-05-07T13:30:06.000Z", "spx": "5950.07"},
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{HISTORY}?interval=0", "interval"),
        (f"{HISTORY}?interval=3601", "interval"),
        (f"{HISTORY}?interval=x", "interval"),
        (f"{HISTORY}?series=spx,gold", "series"),
        (f"{HISTORY}?serie=spx", "serie"),
        ("/api/market-data/historical/yesterday", "trading_date"),
        ("/api/market-data/historical/2026-02-30", "trading_date"),
    ],
)
def test_a_bad_question_names_the_field(client, market_day, path, field):
    publish(market_day, [make_tick(1)], OPEN_AT)

    response = client.get(path)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_input")
    assert field in response.json()["fields"]


def test_a_day_that_never_ran_is_not_found(client):
    response = client.get("/api/market-data/historical/2026-05-08")

    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_a_trailing_slash_is_accepted(client, market_day):
    publish(market_day, [make_tick(1)], OPEN_AT)

    assert client.get(f"{STATUS}/").status_code == 200


def test_a_whole_day_by_the_second_comes_in_one_quick_answer(client, market_day):
    payload = b""
    Tick.objects.bulk_create(
        [
            Tick(
                trading_date=A_DAY,
                seq=n,
                at=OPEN_AT + timedelta(seconds=n - 1),
                received_at=OPEN_AT,
                spot_cents=595000 + n,
                payload=payload,
            )
            for n in range(1, 23_402)
        ],
        batch_size=2_000,
    )
    market_day.last_seq = 23_401
    market_day.save()

    started = time.process_time()
    body = client.get(HISTORY).json()

    assert len(body) == 23_401
    assert time.process_time() - started < 3  # about 0.3 on an idle machine


def test_the_market_is_part_of_readiness(client, market_day):
    assert health.troubles()["market"] == "the market process gives no sign of life"

    publish(market_day, [make_tick(1)], OPEN_AT)

    assert "market" not in health.troubles()
