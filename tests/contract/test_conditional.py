"""ETag and If-None-Match on what no longer changes, and gzip."""

from __future__ import annotations

import gzip

import pytest

from tests.contract.test_openapi import READS
from tests.factories import BotFactory, BotSessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(alice, client_for):
    return client_for(alice)


@pytest.fixture
def url_of(alice):
    def make(**fields):
        session = BotSessionFactory(bot=BotFactory(owner=alice), **fields)
        return f"/api/bots/{session.bot_id}/sessions/{session.pk}"

    return make


@pytest.mark.parametrize("read", READS)
def test_a_read_of_a_settled_session_is_not_sent_twice(client, url_of, read):
    url = url_of(settled=True) + read
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert (again.content, again["ETag"]) == (b"", first["ETag"])


@pytest.mark.parametrize("read", READS)
def test_what_can_still_change_has_no_tag(client, url_of, read):
    answer = client.get(url_of() + read, headers={"If-None-Match": "*"})

    assert answer.status_code == 200
    assert "ETag" not in answer


def test_another_tag_gets_the_whole_answer(client, url_of):
    url = url_of(settled=True)

    assert client.get(url, headers={"If-None-Match": '"other"'}).json()["status"] == "completed"


def test_each_representation_has_its_own_tag(client, url_of):
    url = url_of(settled=True) + "/financials"

    as_json = client.get(url)
    as_csv = client.get(url, headers={"Accept": "text/csv", "If-None-Match": as_json["ETag"]})

    assert as_csv.status_code == 200
    assert as_csv["ETag"] != as_json["ETag"]


def test_a_refusal_has_no_tag(client, url_of):
    assert "ETag" not in client.get(url_of(settled=True) + "/orders?status=odd")


def test_a_tag_opens_nothing_to_a_stranger(client, bob, client_for, url_of):
    url = url_of(settled=True)
    tag = client.get(url)["ETag"]

    assert client_for(bob).get(url, headers={"If-None-Match": tag}).status_code == 404


def test_long_answers_are_compressed_for_who_takes_gzip(client, url_of):
    plain = client.get("/api/openapi.yaml")

    packed = client.get("/api/openapi.yaml", headers={"Accept-Encoding": "gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 5
    assert "Accept-Encoding" in packed["Vary"]


def test_a_compressed_answer_keeps_its_tag(client, url_of):
    url, wants = url_of(settled=True), {"Accept-Encoding": "gzip"}
    tag = client.get(url, headers=wants)["ETag"]

    assert tag.startswith('W/"')
    assert client.get(url, headers={**wants, "If-None-Match": tag}).status_code == 304


def test_pages_and_streams_are_not_compressed(client, url_of):
    wants = {"Accept-Encoding": "gzip"}

    page = client.get("/llms.txt", headers=wants)
    stream = client.get(url_of() + "/stream", headers=wants)

    assert (page.status_code, stream.status_code) == (200, 200)
    assert "Content-Encoding" not in page
    assert "Content-Encoding" not in stream
