"""Alice goes through a day with both clients and the command line."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import threading
import time
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from launcher.paths import ROOT
from tests.clients.proxy import CuttingProxy
from tests.clients.terminal import Said, Terminal
from tests.flows.api import PASSWORD, wait_until
from tests.flows.forms import put_spread
from tests.flows.stack import Stack
from tests.flows.tapes import DAY, HandTape
from zerohour_client import FROM_THE_START, AsyncZerohour, Conflict, Forbidden, Zerohour, models
from zerohour_client._settings import DEFAULT_URL

# The mid of 2.50 falls to 2.00 after the first entry, which is its profit target. The second
# entry is held to the close and expires worthless.
TAPE = HandTape(DAY, first="15:53:00", puts_up_cents={"15:54:30": -50})
FORM = put_spread("15:53:20", "15:57:00", leave={"profit_target_pct": 15})
README = ROOT / "clients" / "python" / "README.md"
EVERY_DAY = {"auto_start": True}
BYTES_BEFORE_A_CUT = 6_000


@dataclass
class Day:
    """What everybody saw."""

    seen: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)


class Alice:
    """Goes through a day with the client, the generated client and the command line."""

    def __init__(self, stack: Stack, folder: Path, leaving: ExitStack) -> None:
        self.stack = stack
        self.folder = folder
        self.day = Day()
        self.client = leaving.enter_context(Zerohour(stack.base_url))
        self.shell = Terminal(stack.base_url, folder / "config" / "tokens.json")
        self._leaving = leaving

    def make_bots(self) -> None:
        self.stack.manage("create_user", "alice@example.com", "--password", PASSWORD)
        self.client.sign_in("alice@example.com", PASSWORD)
        self.strategy = self.client.strategies.create("spread", **FORM)
        self.bot, self.again = (
            self.client.bots.create(
                "by itself",
                self.strategy.id,
                Decimal(25000),
                schedule=EVERY_DAY,
                idempotency_key="once",
            )
            for _ in range(2)
        )
        self.by_client = self.client.bots.create("by client", self.strategy.id, 25000)

    def trade(self) -> None:
        """The session that begins by itself is followed from before the open."""
        sessions = self.client.sessions
        wait_until(lambda: sessions.list(self.bot.id), "the session is scheduled")
        (session,) = sessions.list(self.bot.id)
        self.ids = self.bot.id, session.session_id
        token = {"ZEROHOUR_TOKEN": str(self.client.token)}
        shell = Terminal(self.stack.base_url, self.folder / "nothing.json", token)
        screen = shell.start_on_a_screen("sessions", "follow", "by itself")
        lines = shell.start("sessions", "follow", "by itself", str(session.session_id))
        followers = [
            self._thread("async", lambda: asyncio.run(self._follow_async(*self.ids))),
            self._thread("cut", lambda: self._follow_through_cuts(*self.ids)),
            self._thread("direct", lambda: self._follow(*self.ids)),
        ]
        self.refuse(session)
        wait_until(lambda: self.client.market.status().is_open, "the market opens")
        by_hand = shell.start("sessions", "start", "by client", "--follow", "--json")
        self.use_the_command_line()
        for each in followers:
            each.join(timeout=120)
        self.day.seen["screen"] = screen.wait(), screen.process.returncode
        self.day.said |= {"lines": ended(lines), "json": ended(by_hand)}

    def use_the_command_line(self) -> None:
        password = f"{PASSWORD}\n"
        self.run("login", "login", "alice@example.com", "--password-stdin", given=password)
        (self.folder / "form.json").write_text(json.dumps(FORM["config"]))
        self.run("save", "strategies", "save", str(self.folder / "form.json"), "--name", "saved")
        self.run(
            *("create", "bots", "create", "by hand", "--strategy", "saved", "--capital", "30000"),
            *("--max-daily-loss-pct", "0.1"),
            *("--reprice", '{"opening": {"max_concession": "0.10"}}'),
        )
        self.by_hand = next(bot for bot in self.client.bots.list() if bot.name == "by hand")

    def refuse(self, session: models.Session) -> None:
        """What a live session does not let anybody do."""
        made = self.client.tokens.create(
            "alice@example.com", PASSWORD, name="monitor", scopes=["read"]
        )
        monitor = self._leaving.enter_context(Zerohour(self.stack.base_url, made.token))
        ids = session.bot_id, session.session_id
        calls = {
            "monitor": lambda: monitor.sessions.stop(*ids),
            "second start": lambda: self.client.sessions.start(session.bot_id),
            "delete": lambda: self.client.bots.delete(session.bot_id),
        }
        for name, call in calls.items():
            with pytest.raises((Forbidden, Conflict)) as caught:
                call()
            self.day.seen[name] = caught.value

    def read(self) -> None:
        self.run("refused start", "bots", "start", "by itself")
        sessions = self.client.sessions
        seen = self.day.seen
        seen["session"] = sessions.get(*self.ids)
        seen["bot"] = self.client.bots.get(self.bot.id)
        seen["summary"] = self.client.bots.summary(self.bot.id)
        seen["reads"] = {
            "orders": list(sessions.orders(*self.ids, page_size=1)),
            "positions": sessions.positions(*self.ids),
            "transactions": list(sessions.transactions(*self.ids)),
            "log": list(sessions.decision_log(*self.ids)),
            "events": list(sessions.events(*self.ids, page_size=7)),
            "entries": list(sessions.entries(*self.ids)),
            "financials": sessions.financials(*self.ids),
        }
        seen["async reads"] = asyncio.run(self._read_async())
        seen["csv"] = sessions.financials_csv(*self.ids, interval=60)
        seen["chain"] = self.client.market.chain()
        seen["history"] = self.client.market.history(DAY, series=["spx"], interval=60)
        for name in seen["reads"]:
            self.run(name, "sessions", name, "by itself", "--json")
        self.run("csv", "sessions", "financials", "by itself", "--csv", "--interval", "60")
        self.run("whole", "bots", "show", "by itself")

    def put_away(self) -> None:
        self.run("archive", "bots", "archive", "by hand")
        self.run("delete", "bots", "delete", "by hand", "--yes")
        self.run("logout", "logout")
        self.run("logged out", "bots", "list")
        self.day.seen["readme"] = [
            printed_by(program.replace(DEFAULT_URL, self.stack.base_url))
            for program in re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
        ]
        self.client.sign_out()

    def run(self, name: str, *words: str, given: str = "") -> Said:
        self.day.said[name] = self.shell.run(*words, given=given)
        return self.day.said[name]

    def _thread(self, name: str, follow: Any) -> threading.Thread:
        def work() -> None:
            self.day.seen[name] = follow()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _follow_through_cuts(self, *ids: Any) -> tuple[list[Any], int]:
        options = {"sleep": lambda _seconds: time.sleep(0.01)}
        with (
            CuttingProxy(self.stack.port, bytes_each=BYTES_BEFORE_A_CUT) as proxy,
            Zerohour(proxy.url, self.client.token, **options) as client,
        ):
            return list(client.sessions.stream(*ids, after=FROM_THE_START)), proxy.cuts

    def _follow(self, *ids: Any) -> list[Any]:
        return list(self.client.sessions.stream(*ids, after=FROM_THE_START))

    async def _follow_async(self, *ids: Any) -> list[Any]:
        async with AsyncZerohour(self.stack.base_url, self.client.token) as client:
            stream = client.sessions.stream(*ids, after=FROM_THE_START)
            return [event async for event in stream]

    async def _read_async(self) -> dict[str, Any]:
        async with AsyncZerohour(self.stack.base_url, self.client.token) as client:
            sessions = client.sessions
            return {
                "orders": [each async for each in sessions.orders(*self.ids)],
                "positions": await sessions.positions(*self.ids),
                "transactions": [each async for each in sessions.transactions(*self.ids)],
                "log": [each async for each in sessions.decision_log(*self.ids)],
                "events": [each async for each in sessions.events(*self.ids)],
                "entries": [each async for each in sessions.entries(*self.ids)],
                "financials": await sessions.financials(*self.ids),
            }


def printed_by(program: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(program, {})
    return printed.getvalue()


def ended(process: subprocess.Popen[str]) -> Said:
    out, err = process.communicate(timeout=60)
    return Said(process.returncode, out, err)
