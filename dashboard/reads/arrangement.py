"""Which rows of the overview are shown, and in which order: all of it in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from dashboard.reads.overview import BotRow

LIVE = "live"
WAITING = "waiting"
STATES = {"": "All", LIVE: "Live", WAITING: "Not running"}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading. `name` sorts by it; empty where there is nothing to sort by."""

    name: str
    label: str
    is_number: bool = True
    title: str = ""


COLUMNS = (
    Column("name", "Bot", is_number=False),
    Column("status", "Status", is_number=False),
    Column("today", "Today"),
    Column("", "Since the open", is_number=False, title="P&L since the session's first tick"),
    Column("nlv", "NLV"),
    Column("trades", "Trades"),
    Column("orders", "Orders"),
    Column(
        "drawdown",
        "Drawdown to cap",
        is_number=False,
        title="The loss since the open against the daily loss cap",
    ),
    Column("tick", "Last tick", title="Market time since the session's last tick"),
    Column("next", "Next start"),
)
KEYS: dict[str, Callable[[BotRow], Any]] = {
    "name": lambda row: row.bot.name.casefold(),
    "status": lambda row: row.runtime_status,
    "today": lambda row: row.profit_loss_cents,
    "nlv": lambda row: row.nlv_cents,
    "trades": lambda row: row.activity.open_trades,
    "orders": lambda row: row.activity.working_orders,
    "drawdown": lambda row: row.loss_bar.used_pct if row.loss_bar else None,
    "tick": lambda row: row.last_tick_at,
    "next": lambda row: row.next_start_at,
}


@dataclass(frozen=True, slots=True)
class Arrangement:
    """`sort` is the name of a column, with a minus in front for the largest first."""

    search: str = ""
    state: str = ""
    sort: str = ""
    is_archived: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Arrangement:
        """What an address asks for; what it does not know it ignores."""
        state, sort = query.get("state", ""), query.get("sort", "")
        return cls(
            search=query.get("q", "").strip(),
            state=state if state in STATES else "",
            sort=sort if sort.removeprefix("-") in KEYS else "",
            is_archived=query.get("show") == "archived",
        )

    @property
    def query(self) -> str:
        """The address that asks for this again, without what is the default."""
        asked = {
            "show": "archived" if self.is_archived else "",
            "q": self.search,
            "state": self.state,
            "sort": self.sort,
        }
        return urlencode({name: value for name, value in asked.items() if value})

    @property
    def headings(self) -> list[tuple[Column, str, str]]:
        """Of each column the address that sorts by it, and its order now, as for `aria-sort`."""
        return [(column, self._sorted_by(column), self._order_of(column)) for column in COLUMNS]

    def rows(self, rows: Iterable[BotRow]) -> list[BotRow]:
        """The rows that are asked for, in order. What has no value comes last, either way round."""
        shown = [row for row in rows if self._shows(row)]
        if not self.sort:
            return shown
        key = KEYS[self.sort.removeprefix("-")]
        known = [row for row in shown if key(row) is not None]
        unknown = [row for row in shown if key(row) is None]
        return sorted(known, key=key, reverse=self.sort.startswith("-")) + unknown

    def _shows(self, row: BotRow) -> bool:
        text = f"{row.bot.name} {row.bot.strategy_name}".casefold()
        is_wanted = not self.state or row.is_live == (self.state == LIVE)
        return is_wanted and self.search.casefold() in text

    def _sorted_by(self, column: Column) -> str:
        """Numbers begin with the largest, words with A; the same column again turns it round."""
        first, second = column.name, f"-{column.name}"
        if column.is_number:
            first, second = second, first
        return replace(self, sort=second if self.sort == first else first).query

    def _order_of(self, column: Column) -> str:
        if not column.name or self.sort.removeprefix("-") != column.name:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"
