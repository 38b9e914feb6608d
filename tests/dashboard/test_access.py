"""Who sees a page, and what no page may contain."""

from __future__ import annotations

from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import BotFactory, BotSessionFactory, StrategyLinkFactory

PAGES = ["home", "bot-new", "strategies", "strategy-new", "market", "account", "alerts"]
FRAGMENTS = ["overview-rows", "market-strip", "market-body"]
BOT_PAGES = ["bot", "bot-edit", "bot-start", "bot-archive", "bot-equity", "bot-sessions-csv"]
SESSION_PAGES = [
    "session",
    "session-stop",
    "session-cancel",
    "session-line",
    "session-spot",
    "session-marks",
    "session-head",
    "session-book",
    "session-log",
]
ACTIONS = ["bot-edit", "bot-start", "bot-archive"]


def url(name: str, *args: object) -> str:
    return reverse(f"dashboard:{name}", args=args)


@pytest.fixture
def session(alice):
    """A running session with something of everything."""
    session = BotSessionFactory(bot__owner=alice)
    write_line(session, 0, 1_240)
    make_trade(session)
    make_order(session)
    return session


@pytest.fixture
def everything(session) -> list[str]:
    """Every address there is for alice."""
    link = StrategyLinkFactory(owner=session.bot.owner)
    return [
        *(url(name) for name in PAGES + FRAGMENTS),
        *(url(name, session.bot_id) for name in BOT_PAGES),
        *(url(name, session.bot_id, session.pk) for name in SESSION_PAGES),
        url("strategy-delete", link.pk),
    ]


def test_every_page_sends_a_stranger_to_the_log_in_and_back(everything) -> None:
    anonymous = Client()

    for address in everything:
        answer = anonymous.get(address)

        assert answer.status_code == 302, address
        assert answer["Location"] == f"/login?next={address}"


def test_a_fragment_that_is_polled_after_signing_out_takes_the_page_to_the_log_in(db) -> None:
    answer = Client().get(url("overview-rows"), headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login"


def test_every_page_opens_for_its_owner_and_is_kept_by_no_cache(browser, everything) -> None:
    for address in everything:
        answer = browser.get(address)

        assert answer.status_code == 200, address
        assert "no-store" in answer["Cache-Control"]


def test_what_belongs_to_somebody_else_is_not_found(strangers_browser, session) -> None:
    link = StrategyLinkFactory(owner=session.bot.owner)
    addresses = [
        *(url(name, session.bot_id) for name in BOT_PAGES),
        *(url(name, session.bot_id, session.pk) for name in SESSION_PAGES),
        url("strategy-delete", link.pk),
    ]

    answers = {address: strangers_browser.get(address).status_code for address in addresses}

    assert set(answers.values()) == {404}, answers


@pytest.mark.parametrize("name", ACTIONS)
def test_nobody_acts_on_somebody_elses_bot(strangers_browser, session, name) -> None:
    answer = strangers_browser.post(url(name, session.bot_id), {"name": "mine now"})

    session.bot.refresh_from_db()
    assert answer.status_code == 404
    assert (session.bot.name, session.bot.status) != ("mine now", "archived")


@pytest.mark.parametrize("name", ["session-stop", "session-cancel"])
def test_nobody_stops_somebody_elses_session(strangers_browser, session, name) -> None:
    answer = strangers_browser.post(url(name, session.bot_id, session.pk))

    assert answer.status_code == 404
    assert not session.requests.exists()


def test_a_session_is_found_only_below_its_own_bot(browser, session) -> None:
    other = BotFactory(owner=session.bot.owner)

    answer = browser.get(url("session", other.pk, session.pk))

    assert answer.status_code == 404


def test_every_change_needs_the_csrf_token(alice, session) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    addresses = [
        url("logout"),
        url("bot-new"),
        url("strategy-new"),
        url("account"),
        url("token-create"),
        url("token-revoke", uuid4()),
        url("strategy-preview"),
        url("strategy-update", uuid4()),
        url("strategy-delete", uuid4()),
        url("alerts"),
        url("alert-test", uuid4()),
        url("alert-remove", uuid4()),
        url("alert-again", uuid4()),
        url("register"),
        *(url(name, session.bot_id) for name in ACTIONS),
        url("session-stop", session.bot_id, session.pk),
        url("session-cancel", session.bot_id, session.pk),
    ]

    answers = {address: browser.post(address) for address in addresses}

    assert {answer.status_code for answer in answers.values()} == {403}
    assert "out of date" in answers[url("account")].content.decode()


def test_an_address_that_is_not_there_says_so_on_a_page_of_ours(browser) -> None:
    answer = browser.get(f"/bots/{uuid4()}")

    assert answer.status_code == 404
    assert "it is not yours" in answer.content.decode()


def test_a_view_that_only_shows_refuses_to_be_posted_to(browser) -> None:
    assert browser.post(url("market")).status_code == 405


class Inline(HTMLParser):
    """Collects what the content security policy forbids, and what a page must have."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        self.found += [
            f"{tag} {name}" for name in given if name == "style" or name.startswith(("on", "hx-on"))
        ]
        if tag in ("script", "img"):
            self.sources.append(given.get("src") or "")
        if tag == "link":
            self.sources.append(given.get("href") or "")


def test_no_page_has_inline_scripts_or_styles_or_loads_from_elsewhere(browser, everything) -> None:
    pages = [
        address
        for address in everything
        if "/dashboard/" not in address and not address.endswith(".csv")
    ]

    for address in [*pages, "/nowhere"]:
        page = Inline()
        page.feed(browser.get(address).content.decode())

        assert page.found == [], address
        assert all(source.startswith("/static/") for source in page.sources), address
        assert page.tags.count("main") == 1
        assert page.tags.count("h1") == 1


def test_the_policy_of_every_page_allows_this_host_only(browser) -> None:
    for address in ["/login", url("home")]:
        policy = browser.get(address, follow=True)["Content-Security-Policy"]

        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
