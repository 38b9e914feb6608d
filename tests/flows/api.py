"""A client of the running system, and everything it can read of a session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tests.flows.stack import Stack

PASSWORD = "correct horse battery staple"
POLL_SECONDS = 0.2
READS = ("orders", "positions", "transactions", "financials", "decision-log", "events", "entries")

_Found = TypeVar("_Found")


def wait_until(
    ask: Callable[[], _Found | None], what: str, *, patience_seconds: float = 60
) -> _Found:
    """The first answer that is not nothing. Machines differ: only the patience is in seconds."""
    deadline = time.monotonic() + patience_seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, f"{what}: not within {patience_seconds:g} s"
        time.sleep(POLL_SECONDS)
    return found


@dataclass(frozen=True)
class Ran:
    """A bot, one of its sessions, and every read below it."""

    bot: dict[str, Any]
    session: dict[str, Any]
    orders: list[dict[str, Any]]
    positions: list[dict[str, Any]]
    transactions: list[dict[str, Any]]
    financials: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    entries: list[dict[str, Any]]

    def events_of(self, *kinds: str) -> list[dict[str, Any]]:
        return [row["data"] for row in self.events if row["kind"] in kinds]

    @property
    def statuses(self) -> list[str]:
        return [data["status"] for data in self.events_of("status")]

    @property
    def outcomes(self) -> list[str]:
        return [row["outcome"] for row in self.entries]


class Api:
    """Calls of one user. `call` answers (status, body); the others insist on success."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._client = httpx.Client(
            base_url=f"{stack.base_url}/api", headers={"Authorization": token}, timeout=30
        )

    @classmethod
    def signed_up(cls, stack: Stack, email: str) -> Api:
        made = stack.manage("create_user", email, "--password", PASSWORD)
        return cls(stack, made.stdout.split()[-1])

    @classmethod
    def signed_in(cls, stack: Stack, email: str) -> Api:
        client = httpx.post(
            f"{stack.base_url}/api/auth/sessions",
            json={"email": email, "password": PASSWORD},
            timeout=30,
        )
        return cls(stack, client.raise_for_status().json()["token"])

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self._client.request(method, path, json=body)
        return response.status_code, response.json() if response.content else None

    def get(self, path: str) -> Any:
        return self._succeed("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._succeed("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._succeed("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._succeed("DELETE", path)

    def _succeed(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.call(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    # Words of the domain ----------------------------------------------------------------------

    def make_bot(self, name: str, strategy: dict[str, Any], **fields: Any) -> str:
        """The id of a new bot on a strategy of its own; 25,000 dollars unless told."""
        link = self.post("/strategies", {"name": name, **strategy})
        body = {"strategy_id": link["id"], "name": name, "starting_capital": "25000", **fields}
        return str(self.post("/bots", body)["id"])

    def market(self) -> dict[str, Any]:
        return dict(self.get("/market-data/status"))

    def has_opened(self) -> bool:
        """Whether the day that is on has had its first tick."""
        return self.market()["last_tick_at"] is not None

    def wait_for_the_open(self) -> None:
        wait_until(lambda: self.market()["is_open"], "the market opens")

    def sessions(self, bot_id: str) -> list[dict[str, Any]]:
        return list(self.get(f"/bots/{bot_id}/sessions"))

    def session(self, bot_id: str, day: object) -> dict[str, Any] | None:
        found = (row for row in self.sessions(bot_id) if row["date"] == str(day))
        return next(found, None)

    def wait_for_tick(self, bot_id: str, day: object, count: int) -> None:
        """Until the bot's session has processed so many ticks."""

        def has_come() -> bool:
            row = self.session(bot_id, day)
            return row is not None and row["tick_count"] >= count

        wait_until(has_come, f"{count} ticks")

    def settled(self, bot_id: str, day: object) -> Ran:
        """Everything of the bot's session of that day, once it is settled."""

        def is_settled() -> dict[str, Any] | None:
            row = self.session(bot_id, day)
            return row if row and row["settled_at"] else None

        return self.read(bot_id, wait_until(is_settled, f"{bot_id} settles")["session_id"])

    def read(self, bot_id: str, session_id: str) -> Ran:
        below = f"/bots/{bot_id}/sessions/{session_id}"
        return Ran(
            self.get(f"/bots/{bot_id}")["bot"],
            self.get(below),
            *(self._all_pages(f"{below}/{name}") for name in READS),
        )

    def _all_pages(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        following: str | None = path
        while following is not None:
            response = self._client.get(following)
            assert response.status_code == 200, f"{following}: {response.text}"
            rows += response.json()
            following = response.links.get("next", {}).get("url")
        return rows
