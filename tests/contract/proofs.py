"""A test that docs/api.md names as the proof of a code must itself be answered with it.

While such a test runs, every refusal of the API is noted; after the last of its parameters what it
promised must be among them. A selection of some of its parameters proves nothing and is not judged.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.urls import Resolver404, resolve

from tests.contract.document import error_codes, operations
from tests.contract.routes import PARAMETER, ROUTES
from tests.contract.table import OF_CALLS, ROWS, Row

Refusal = tuple[str, int, str]  # "POST /bots", 409, "name_taken"

# What no request can bring about: proved on views made for it, which are no call of the API.
ON_PROBES = {(500, "internal_error"), (503, "unavailable")}
ANY_METHOD = {(405, "method_not_allowed")}  # on a path, by a method that is no call


def promised(test: str) -> set[Refusal]:
    """The refusals that the table says this test sees."""
    return {refusal for row in ROWS if row.test == test for refusal in _of_row(row)}


def _of_row(row: Row) -> set[Refusal]:
    refusal = row.status, row.code
    if not row.is_of_many:
        return {(row.where, *refusal)}
    if refusal in ON_PROBES:
        return {("", *refusal)}
    if refusal in ANY_METHOD:
        return {(route.path, *refusal) for route in ROUTES}
    return {
        (line, *refusal)
        for line, operation in operations()
        if refusal in error_codes(operation) and (line, *refusal) not in OF_CALLS
    }


class Proofs:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self._seen: dict[str, set[Refusal]] = defaultdict(set)
        self._left: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: Sequence[pytest.Item]
    ) -> None:
        is_of_parameters = any("[" in argument for argument in config.args)
        named = {row.test for row in ROWS}
        if not is_of_parameters:
            self._left = Counter(_test_of(item) for item in items if _test_of(item) in named)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        test = _test_of(item)
        if not self._left[test]:
            return (yield)
        with _noted(self._seen[test]):
            result = yield
        self._left[test] -= 1
        if not self._left[test]:
            missing = promised(test) - self._seen[test]
            assert not missing, f"docs/api.md says that {test} sees {sorted(missing)}"
        return result


def _test_of(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


@contextmanager
def _noted(seen: set[Refusal]) -> Iterator[None]:
    """Notes every refusal that Django answers meanwhile, below a test client as below a server."""
    answer, answer_async = BaseHandler.get_response, BaseHandler.get_response_async

    def get_response(self: BaseHandler, request: Any) -> Any:
        response = answer(self, request)
        seen.update(_refusals(request, response))
        return response

    async def get_response_async(self: BaseHandler, request: Any) -> Any:
        response = await answer_async(self, request)
        seen.update(_refusals(request, response))
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseHandler, "get_response", get_response)
        patch.setattr(BaseHandler, "get_response_async", get_response_async)
        yield


def _refusals(request: Any, response: Any) -> set[Refusal]:
    """The refusal, of its call and of its path; none if the request was not refused."""
    if response.status_code < 400 or response["Content-Type"] != "application/json":
        return set()
    code = json.loads(response.content)["error"]
    try:
        route = resolve(request.path_info, getattr(request, "urlconf", None)).route
    except Resolver404:
        route = ""
    path = "/" + PARAMETER.sub(r"{\1}", route.removeprefix("api/").rstrip("/"))
    return {(where, response.status_code, code) for where in (f"{request.method} {path}", path, "")}
