"""One thread for a whole request, the event loop for streams."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from config import handlers
from tests.factories import UserFactory

# Requests run on threads of their own, which see what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def ask(path: str, *, method: str = "GET", body: tuple[bytes, ...] = (b"",), **headers: str) -> Any:
    """What an application sends for a request: status, headers, body."""
    return asyncio.run(sent(handlers.Application(), path, method, body, headers))


async def sent(application, path, method, body, headers) -> Any:
    parts = list(body)
    messages = []

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.Event().wait()  # the client stays
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-length", b"%d" % sum(map(len, body)))]
        + [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    await application(scope, receive, send)
    if not messages:
        return None
    told = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], told, b"".join(part.get("body", b"") for part in messages[1:])


def test_a_request_is_answered_with_its_middleware():
    status, told, body = ask("/api/bots")

    assert status == 401
    assert told["www-authenticate"] == "Bearer"
    assert told["x-content-type-options"] == "nosniff"  # SecurityMiddleware was there
    assert b'"unauthorized"' in body


def test_data_has_the_content_security_policy_of_the_pages():
    policies = [
        ask(path)[1]["content-security-policy"] for path in ("/api/bots", "/api/bots", "/login")
    ]

    directives = [set(policy.split("; ")) for policy in policies]
    assert directives[0] == directives[1] == directives[2]
    assert "default-src 'self'" in directives[0]


def test_every_part_of_a_body_arrives():
    whole = b'{"email": "nobody@example.com", "password": "not this one"}'

    status, _, body = ask(
        "/api/auth/sessions",
        method="POST",
        body=(whole[:9], whole[9:30], whole[30:]),
        content_type="application/json",
    )

    assert status == 401, body  # read whole: it lacks nothing but the right password


def test_a_client_that_leaves_while_it_sends_gets_nothing_and_breaks_nothing():
    async def leave():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError(message)

        scope = {"type": "http", "method": "POST", "path": "/api/bots", "headers": []}
        await handlers.Application()(scope, receive, send)

    asyncio.run(leave())


def test_a_body_that_is_too_large_is_refused():
    large = b"{" + b" " * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b"}"

    status, _, body = ask(
        "/api/auth/sessions", method="POST", body=(large,), content_type="application/json"
    )

    assert status == 413
    assert b"body_too_large" in body


def test_a_static_file_is_sent_whole():
    status, told, body = ask("/static/dashboard/dashboard.css")

    assert (status, told["content-type"].split(";")[0]) == (200, "text/css")
    assert len(body) == int(told["content-length"]) > 1000


def test_middleware_and_view_share_a_thread_that_keeps_no_connection(monkeypatch):
    seen = []
    UserFactory()

    def view(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_user")
            found = cursor.fetchone()[0]
        seen.append((threading.current_thread(), connections["default"]))
        return HttpResponse(found)

    requests = handlers.WholeRequests()
    inner = requests._middleware_chain

    def outermost(request: HttpRequest) -> HttpResponse:
        seen.append((threading.current_thread(), None))
        inner(request)
        return view(request)

    monkeypatch.setattr(requests, "_middleware_chain", outermost)

    status, _, body = asyncio.run(sent(requests, "/api/bots", "GET", [b""], {}))

    (first, _), (second, used) = seen
    assert (status, body) == (200, b"1")
    assert first is second
    assert first is not threading.main_thread()
    assert used.connection is None  # given back with the answer


def test_many_at_once_are_each_answered():
    async def together():
        application = handlers.Application()
        asking = [sent(application, "/api/bots", "GET", [b""], {}) for _ in range(25)]
        return await asyncio.gather(*asking)

    assert [answer[0] for answer in asyncio.run(together())] == [401] * 25


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/bots", "application/json"), ("/login", "text/plain")]
)
def test_who_finds_all_threads_waiting_is_refused_in_time(monkeypatch, path, kind):
    """As long as the database does not answer; the probes do meanwhile."""
    monkeypatch.setattr(handlers, "THREADS", 1)
    monkeypatch.setattr(handlers, "PATIENCE_SECONDS", 0.2)
    answers, waiting = threading.Event(), threading.Event()

    async def meanwhile():
        application = handlers.Application()
        whole = application._requests
        inner = whole._middleware_chain

        def slow(request: HttpRequest) -> HttpResponse:
            waiting.set()
            assert answers.wait(30)
            return inner(request)

        whole._middleware_chain = slow
        first = asyncio.create_task(sent(application, "/api/bots", "GET", [b""], {}))
        await asyncio.to_thread(waiting.wait, 30)
        refused = await sent(application, path, "GET", [b""], {})
        probe = await sent(application, "/health", "GET", [b""], {})
        answers.set()
        return refused, probe, await first, await sent(application, "/api/bots", "GET", [b""], {})

    refused, probe, first, after = asyncio.run(meanwhile())

    status, told, body = refused
    assert (status, told["retry-after"], told["content-type"].split(";")[0]) == (503, "1", kind)
    assert b"try again" in body
    assert probe[0] == 200
    assert (first[0], after[0]) == (401, 401)  # who had begun was waited for


def views(resolver: URLResolver, before: str = "") -> list[tuple[str, Any]]:
    found = []
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLPattern):
            found.append((path, each.callback))
        else:
            found += views(each, path)
    return found


def test_the_routes_of_streams_are_those_that_end_so():
    """By its path alone a request is told to be one, before its view is known."""
    everything = views(get_resolver())
    streams = [path for path, view in everything if inspect.iscoroutinefunction(view)]

    assert len(streams) == 4  # two streams, each with and without the slash
    for path, view in everything:
        ends_so = path.rstrip("/").endswith(handlers.STREAM_SUFFIX)
        assert ends_so == inspect.iscoroutinefunction(view), path
