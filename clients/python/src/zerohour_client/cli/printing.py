"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zerohour_client._shapes import encode

NEW_YORK = ZoneInfo("America/New_York")
NOTHING = "–"

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def show_json(value: Any) -> None:
    """The API's own shape, indented; a program may read it."""
    out.file.write(json.dumps(encode(value), indent=2, ensure_ascii=False) + "\n")


def json_line(value: Any) -> None:
    """One object on one line, at once: for streams."""
    out.file.write(json.dumps(encode(value), ensure_ascii=False) + "\n")
    out.file.flush()


def say(line: str) -> None:
    out.print(escape(line))


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    return made


def show_rows(rows: Iterable[Sequence[str]], *columns: str, right: Sequence[str] = ()) -> None:
    """A table, or one line saying that there is nothing."""
    made = table(*columns, right=right)
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    if made.row_count:
        Console(highlight=False, width=None if out.is_terminal else 200).print(made)
    else:
        say("Nothing there.")


def show_facts(*facts: tuple[str, str]) -> None:
    """Names and values, one below the other."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        out.print(f"[bold]{escape(name):<{width}}[/]  {escape(value)}")


def money(amount: Decimal | None) -> str:
    return NOTHING if amount is None else f"{amount:,.2f}"


def price(amount: Decimal | None) -> str:
    return NOTHING if amount is None else format(amount, "f")


def percent(ratio: Decimal | None) -> str:
    """A ratio such as 0.0200 as 2.00 %."""
    return NOTHING if ratio is None else f"{ratio * 100:.2f} %"


def text(value: object) -> str:
    return NOTHING if value is None or value == "" else str(value)


def clock(at: datetime | None) -> str:
    """The time of day in New York, where the market is."""
    return NOTHING if at is None else f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def moment(at: datetime | None) -> str:
    return NOTHING if at is None else f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def instrument(symbol: str) -> str:
    """`SPXW  260507P05945000` as people say it: 5945 put."""
    kind = {"P": "put", "C": "call"}.get(symbol[12:13])
    strike = symbol[13:]
    if kind is None or len(symbol) != 21 or not strike.isdigit():
        return symbol
    return f"{int(strike) / 1000:g} {kind}"
