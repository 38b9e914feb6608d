"""zerohour market …"""

from __future__ import annotations

from typing import Annotated

import typer

from zerohour_client.cli.context import AsJson, connect
from zerohour_client.cli.printing import (
    NOTHING,
    clock,
    json_line,
    moment,
    price,
    say,
    show_facts,
    show_json,
    show_rows,
    text,
)
from zerohour_client.models import MarketLine, MarketStatus, Quote, Strike

app = typer.Typer(help="The market the server trades on.", no_args_is_help=True)


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Feed, market clock and trading day."""
    with connect(context) as client:
        found = client.market.status()
    if as_json:
        show_json(found)
        return
    age_ms = found.last_tick_age_ms
    settled = found.settlement
    show_facts(
        ("day", f"{text(found.trading_date)}, {_phase(found)}"),
        ("market time", f"{moment(found.market_time)} in New York"),
        ("feed", f"{text(found.feed)}, {'healthy' if found.is_healthy else 'NOT HEALTHY'}"),
        ("speed", f"{found.speed} market seconds a second"),
        ("hours", f"{clock(found.open_at)} to {clock(found.close_at)}"),
        ("last tick", NOTHING if age_ms is None else f"{age_ms} ms ago"),
        ("settlement", f"{settled.value} ({settled.source})" if settled else NOTHING),
    )


@app.command()
def chain(
    context: typer.Context,
    around: Annotated[
        int, typer.Option(help="Strikes on each side of spot; 0 shows all.", min=0)
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """The latest chain."""
    with connect(context) as client:
        found = client.market.chain()
    if as_json:
        show_json(found)
        return
    say(
        f"{moment(found.datetime)}  SPX {found.spot}  VIX {price(found.vix)}  "
        f"expected move {price(found.expected_move)}"
    )
    strikes = list(found.chain)
    if around:
        by_distance = sorted(strikes, key=lambda each: abs(each.strike - found.spot))
        strikes = sorted(by_distance[: 2 * around], key=lambda each: each.strike)
    columns = ("call bid", "ask", "delta", "strike", "put bid", "put ask", "put delta")
    show_rows((_strike(each) for each in strikes), *columns, right=columns)


@app.command()
def watch(
    context: typer.Context,
    count: Annotated[int, typer.Option(help="End after so many seconds of market.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Follow the index values until Ctrl-C."""
    seen = 0
    with connect(context) as client:
        for event in client.market.stream():
            if as_json:
                json_line({"event": event.event, "id": event.id, "data": event.data})
            elif isinstance(event.data, MarketLine):
                line = event.data
                say(
                    f"{clock(line.datetime)}  SPX {price(line.spx)}  VIX {price(line.vix)}  "
                    f"expected move {price(line.expected_move)}"
                )
            elif isinstance(event.data, MarketStatus):
                say(f"{text(event.data.trading_date)} is {_phase(event.data)}")
            seen += isinstance(event.data, MarketLine)
            if count and seen >= count:
                return


def _phase(status: MarketStatus) -> str:
    return status.phase.replace("_", " ")


def _strike(strike: Strike) -> tuple[str, ...]:
    return (*_quote(strike.call), f"{strike.strike:f}", *_quote(strike.put))


def _quote(quote: Quote) -> tuple[str, str, str]:
    return price(quote.bid), price(quote.ask), price(quote.delta)
