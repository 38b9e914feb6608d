"""A real browser on a real web process. Without a Chromium these tests are skipped, loudly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from launcher import chromium as browsers
from tests.browser.chrome import FLAGS
from tests.factories import PASSWORD, UserFactory

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Gone with its module: while it lives its event loop runs in this thread, where no other
    test could run one of its own.
    """
    path = browsers.find()
    if path is None:
        warnings.warn(browsers.NONE_FOUND, stacklevel=1)
        pytest.skip(browsers.NONE_FOUND)
    with sync_playwright() as playwright:
        # Playwright's loop runs in this thread; the tests' own queries are plain and synchronous.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Web:
    """The web process on the test database; it can be stopped and started again."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Nothing happens while it runs."""
        if self._process is not None:
            return
        given = connection.settings_dict
        login = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
        database = f"postgres://{login}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--log-level", "warning"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database,
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
            },
        )
        self._wait()

    def stop(self) -> None:
        """At once: open streams break as they do when a host dies."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.url}/health", timeout=1):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"the web process did not answer within {START_SECONDS} s")


@pytest.fixture(scope="session")
def web_process(django_db_setup: None) -> Iterator[Web]:
    process = Web()
    yield process
    process.stop()


@pytest.fixture
def web(transactional_db: None, web_process: Web) -> Web:
    """Running, whatever the test before has done to it."""
    web_process.start()
    return web_process


@contextmanager
def tab(chromium: Browser, base_url: str) -> Iterator[Page]:
    """A tab; any complaint of the browser, a refused script above all, fails the test."""
    context = chromium.new_context(base_url=base_url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(chromium: Browser, web: Web) -> Iterator[Page]:
    expect.set_options(timeout=10_000)
    with tab(chromium, web.url) as opened:
        yield opened


@pytest.fixture
def sign_in(page: Page) -> Callable[[], None]:
    """Alice signs in by hand."""

    def do() -> None:
        page.goto("/login")
        page.get_by_label("E-mail address").fill("alice@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Bots", exact=True)).to_be_visible()

    return do


@pytest.fixture
def owner(transactional_db: None) -> object:
    return UserFactory(email="alice@example.com")
