"""Following a session: a live view on a terminal, lines in a pipe, JSON lines for programs."""

from __future__ import annotations

import time
from contextlib import closing

from rich.live import Live

from zerohour_client import StreamEvent, Zerohour
from zerohour_client.cli.printing import json_line, out, say
from zerohour_client.cli.view import SessionView
from zerohour_client.models import Bot, Financial, Session, SessionData

REDRAW_SECONDS = 0.2  # the market may run fast
REMARK_SECONDS = 2.0  # the stream tells of positions when they change, not of their prices


def follow_session(client: Zerohour, bot: Bot, session: Session, *, as_json: bool) -> Session:
    """Show it until it has ended; the ended session."""
    show = _show_json if as_json else _show_live if out.is_terminal else _show_lines
    show(client, bot, session)
    return client.sessions.get(bot.id, session.session_id)


def _is_end(event: StreamEvent[SessionData]) -> bool:
    """A settled session's stream ends by itself; what is left of a killed one settles later."""
    data = event.data
    return isinstance(data, Session) and data.is_terminal and not data.is_settled


def _show_json(client: Zerohour, bot: Bot, session: Session) -> None:
    with closing(client.sessions.stream(bot.id, session.session_id)) as stream:
        for event in stream:
            json_line({"event": event.event, "id": event.id, "data": event.data})
            if _is_end(event):
                return


def _show_lines(client: Zerohour, bot: Bot, session: Session) -> None:
    view = SessionView(bot, session)
    with closing(client.sessions.stream(bot.id, session.session_id)) as stream:
        for event in stream:
            _begin(client, view, event)
            for line in view.apply(event.data):
                say(line)
                out.file.flush()
            if _is_end(event):
                return


def _show_live(client: Zerohour, bot: Bot, session: Session) -> None:
    view = SessionView(bot, session)
    drawn_at = marked_at = 0.0
    with (
        closing(client.sessions.stream(bot.id, session.session_id)) as stream,
        Live(view.render(), console=out, auto_refresh=False) as live,
    ):
        for event in stream:
            _begin(client, view, event)
            view.apply(event.data)
            if view.is_holding and time.monotonic() - marked_at >= REMARK_SECONDS:
                view.hold(client.sessions.positions(bot.id, session.session_id))
                marked_at = time.monotonic()
            is_quiet = isinstance(event.data, Financial)
            if not is_quiet or time.monotonic() - drawn_at >= REDRAW_SECONDS:
                live.update(view.render(), refresh=True)
                drawn_at = time.monotonic()
            if _is_end(event):
                return


def _begin(client: Zerohour, view: SessionView, event: StreamEvent[SessionData]) -> None:
    """What is held already. Read once the stream is open, so that nothing falls in between."""
    if view.has_begun or not isinstance(event.data, Session):
        return
    ids = view.bot.id, view.session.session_id
    view.begin(client.sessions.positions(*ids), list(client.sessions.orders(*ids)))
