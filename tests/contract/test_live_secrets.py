"""A whole walk with every secret there is, and then a look through everything that was logged."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flows.api import wait_until
from tests.flows.stack import Stack

pytestmark = pytest.mark.stack

ADDRESS = "carol@example.com"
PASSWORD = "seven purple geese at noon"
WRONG_PASSWORD = "six purple geese at noon"


class Mail(socketserver.ThreadingTCPServer):
    """A mail server that takes everything: outside our walls, where a code may be read."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.letters: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = iter(self.rfile.readline, b".\r\n")
                self.server.letters.append(b"".join(letter).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")


@pytest.fixture(scope="module")
def mail() -> Iterator[Mail]:
    with Mail() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stack(mail: Mail) -> Iterator[Stack]:
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.base", "LOG_LEVEL": "DEBUG"}
    with Stack(env={"EMAIL_URL": mail.url, **settings}) as running:
        yield running


def test_no_secret_is_written_to_any_log(stack: Stack, mail: Mail) -> None:
    with httpx.Client(base_url=f"{stack.base_url}/api", timeout=30) as client:
        secrets = walk(client, mail)
    pages_walk(stack)

    logs = everything_logged(stack)
    assert "POST /api/auth/register" in "\n".join(logs.values()), "the walk itself is logged"
    found = [(name, secret) for secret in secrets for name, text in logs.items() if secret in text]
    assert found == []


def walk(client: httpx.Client, mail: Mail) -> list[str]:
    """Register, sign in (and fail to), list and revoke tokens; returns every secret used."""
    client.post("/auth/verify-email", json={"email": ADDRESS}).raise_for_status()
    letter = wait_until(lambda: mail.letters[-1] if mail.letters else None, "the mail")
    (code,) = set(re.findall(r"\b\d{6}\b", letter.partition("\r\n\r\n")[2]))
    body = {"email": ADDRESS, "verification_code": code, "password": PASSWORD}
    first = client.post("/auth/register", json=body).raise_for_status().json()["token"]
    wrong = client.post("/auth/sessions", json={"email": ADDRESS, "password": WRONG_PASSWORD})
    assert wrong.status_code == 401
    signed_in = client.post("/auth/sessions", json={"email": ADDRESS, "password": PASSWORD})
    second = signed_in.raise_for_status().json()["token"]
    for headers in ({"Authorization": first}, {"Authorization": f"Bearer {second}"}):
        assert client.get("/user", headers=headers).status_code == 200
        assert client.get("/bots", headers=headers).status_code == 200
    refused = client.get("/bots", params={"token": second})
    assert refused.status_code == 401
    client.delete("/auth/sessions", headers={"Authorization": second}).raise_for_status()
    return [code_in_context(code), PASSWORD, WRONG_PASSWORD, first]


def code_in_context(code: str) -> str:
    """Six digits alone stand in many a time stamp; with a blank on both sides they do not."""
    return f" {code} "


def pages_walk(stack: Stack) -> None:
    """Sign in on the pages with the same password."""
    with httpx.Client(base_url=stack.base_url, timeout=30) as browser:
        page = browser.get("/login").text
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
        body = {"csrfmiddlewaretoken": token, "username": ADDRESS, "password": PASSWORD}
        assert browser.post("/login", data=body).status_code == 302


def everything_logged(stack: Stack) -> dict[str, str]:
    files = [path for path in Path(stack.data_dir.logs).rglob("*") if path.is_file()]
    logs = {path.name: path.read_text(errors="replace") for path in files}
    return {**logs, "bin/up": stack.output()}
