"""The running system as its users meet it, and what they have in it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.factories import PROGRAM
from tests.flows.api import PASSWORD, Api
from tests.flows.stack import Stack

CAPITAL = "25000"
# Further tokens, with their ids: signing in so often would meet its limit.
TOKENS = """
import json
from accounts.models import TokenDetails, User
from accounts.services import create_token
user = User.objects.get(email="{email}")
tokens = [create_token(user=user) for _ in range({count})]
ids = TokenDetails.objects.filter(token__user=user, last_used_at=None).order_by("token__created")
print(json.dumps([tokens, [str(row.pk) for row in ids][-{count}:]]))
"""


class Resident:
    """A user of the running system. `ids_for` gives ids that an operation can succeed on."""

    def __init__(self, stack: Stack, email: str) -> None:
        self.stack, self.email = stack, email
        self.api = Api.signed_up(stack, email)
        self.token = str(self.api._client.headers["Authorization"])
        self.api.wait_for_the_open()
        self.link = self.new_link()
        self.bot = self.new_bot()
        self.session = self.new_session()
        self._targets: dict[str, dict[str, str]] = defaultdict(dict)
        self._tokens: list[str] = []
        self._token_ids: list[str] = []

    def new_link(self) -> str:
        body = {"name": f"link {uuid4()}", "program": PROGRAM}
        return str(self.api.post("/strategies", body)["id"])

    def new_bot(self) -> dict[str, str]:
        body = {"strategy_id": self.link, "name": f"bot {uuid4()}", "starting_capital": CAPITAL}
        return {"bot_id": str(self.api.post("/bots", body)["id"])}

    def new_session(self) -> dict[str, str]:
        bot = self.new_bot()
        started = self.api.post(f"/bots/{bot['bot_id']}/sessions")
        return {**bot, "session_id": str(started["session_id"])}

    def a_token(self) -> str:
        """One that nobody else uses."""
        self._fill_tokens()
        return self._tokens.pop()

    def _a_token_id(self) -> dict[str, str]:
        self._fill_tokens()
        return {"token_id": self._token_ids.pop()}

    def _fill_tokens(self) -> None:
        if not self._tokens or not self._token_ids:
            code = TOKENS.format(email=self.email, count=200)
            made = self.stack.manage("shell", "--verbosity", "0", "-c", code)
            tokens, ids = json.loads(made.stdout.splitlines()[-1])
            self._tokens, self._token_ids = tokens[:100], ids[100:]

    def ids_for(self, line: str) -> dict[str, str]:
        """All ids a path may ask for; those that the operation uses up are made for it."""
        standing = {"strategy_id": self.link, **self.bot}
        if "{session_id}" in line:
            standing |= self.session
        make = self._makers.get(line)
        if make is not None and not self._targets[line]:
            self._targets[line] = make()
        return {**standing, **self._targets[line]}

    def used_up(self, line: str) -> None:
        """The operation has succeeded: the next one needs another object."""
        self._targets[line] = {}

    @property
    def _makers(self) -> dict[str, Callable[[], dict[str, str]]]:
        session = "/bots/{bot_id}/sessions/{session_id}"
        return {
            "DELETE /bots/{bot_id}": self.new_bot,
            "POST /bots/{bot_id}/sessions": self.new_bot,
            f"DELETE {session}": self.new_session,
            "DELETE /strategies/{strategy_id}": lambda: {"strategy_id": self.new_link()},
            "DELETE /auth/tokens/{token_id}": self._a_token_id,
        }


class Live:
    """alice and bob, with a bot and a running session each, on an open market."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.alice = Resident(stack, "alice@example.com")
        self.bob = Resident(stack, "bob@example.com")

    @property
    def url(self) -> str:
        return f"{self.stack.base_url}/api"


def sign_in_body() -> dict[str, Any]:
    return {"email": "alice@example.com", "password": PASSWORD}
