"""What can be asked of sessions: start, schedule, stop, cancel. The runner does the rest.

Nothing here touches a running simulation: a wish is a row, obeyed by the owner between two ticks.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction

from common import errors
from marketdata import queries as market
from marketdata.models import MarketDay
from marketdata.queries import MarketNow
from sessions import halts, hints, wakeups
from sessions.halts import LiveTradingUnavailable
from sessions.lifecycle import Status
from sessions.models import BotSession, SessionRequest
from sessions.queries import BotNotFound
from sessions.registration import freeze, write_status
from strategies.runtime.program import InvalidProgram
from strategies.runtime.sandbox import SandboxUnavailable
from strategies.runtime.shared import shared_sandbox

if TYPE_CHECKING:
    from bots.models import Bot

log = logging.getLogger(__name__)


class BotNotIdle(errors.Conflict):
    code = "bot_not_idle"


class SessionExists(errors.Conflict):
    code = "bot_session_exists"


class OutsideRegularHours(errors.Unprocessable):
    code = "outside_rth"


class RegisterSimFailed(errors.Refusal):
    """Carries the status of its cause: 422 a program that cannot load, 503 no sandbox."""

    code = "register_sim_failed"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class SessionTerminal(errors.Conflict):
    code = "session_terminal"


def start_session(*, user: Any, bot_id: uuid.UUID) -> BotSession:
    """Start today's session of a bot. The refusals are checked in contract.md section 5's order."""
    with transaction.atomic():
        bot = _locked_bot(user, bot_id)
        now = market.market_now()
        _check_idle(bot, now)
        day = _check_market(now)
        _check_program(bot)
        session = _new_session(bot, day, Status.REGISTERING, now.at)
        session.first_seq = day.last_seq + 1
        session.last_tick_seq = session.state_seq = day.last_seq
        freeze(session, bot)
        _insert(session, now.at)
    return session


def schedule_session(*, bot: Bot, day: MarketDay, now: datetime) -> BotSession | None:
    """The day's session of a bot with auto start, from the first tick on; None if it has one.

    Raises LiveTradingUnavailable while trading is halted.
    """
    with transaction.atomic():
        locked = _bots().select_for_update(of=("self",)).filter(pk=bot.pk).first()
        if locked is None or locked.sessions.filter(trading_date=day.trading_date).exists():
            return None
        if locked.sessions.live().exists():
            return None  # yesterday's is not settled yet; the scheduler comes again
        halts.refuse_while_halted()
        session = _new_session(locked, day, Status.SCHEDULED, now)
        _insert(session, now)
    return session


def request_stop(*, user: Any, session: BotSession, flatten: bool, now: datetime) -> BotSession:
    """The session moves to `killing`; the runner leaves at its next tick. Twice is once."""
    with transaction.atomic():
        locked = BotSession.objects.select_for_update().defer("state").get(pk=session.pk)
        if locked.is_terminal:
            raise SessionTerminal(
                f"This session is {locked.status}; there is nothing left to stop."
            )
        kind = SessionRequest.Kind.KILL_FLAT if flatten else SessionRequest.Kind.KILL
        if not locked.requests.filter(kind=kind, obeyed_seq=None).exists():
            locked.requests.create(kind=kind, requested_by=user, requested_at=now)
        if locked.status != Status.KILLING:
            locked.status = Status.KILLING
            locked.save(update_fields=["status"])
            write_status(locked, Status.KILLING, at=now)
        transaction.on_commit(partial(_hint, locked.pk))
    return locked


def request_cancel_all(*, user: Any, session: BotSession, now: datetime) -> BotSession:
    """Cancel the open orders at the next tick and keep running."""
    with transaction.atomic():
        locked = BotSession.objects.select_for_update().defer("state").get(pk=session.pk)
        if locked.is_terminal:
            raise SessionTerminal(f"This session is {locked.status}; it has no open orders.")
        locked.requests.create(
            kind=SessionRequest.Kind.CANCEL_ALL, requested_by=user, requested_at=now
        )
        transaction.on_commit(partial(_hint, locked.pk))
    return locked


def stamp_tapes() -> int:
    """Note on settled sessions which tape they ran on, once their day is packed; how many.

    With the engine's version, the program's hash and the policy it is all a re-run needs.
    """
    stamped = 0
    unstamped = BotSession.objects.settled().filter(tape_digest="")
    for trading_date in unstamped.values_list("trading_date", flat=True).distinct():
        day = market.day(trading_date)
        if day is not None and day.tape_digest:
            sessions = unstamped.filter(trading_date=trading_date)
            stamped += sessions.update(tape_digest=day.tape_digest)
    return stamped


def _bots() -> Any:
    # By name: sessions know of bots only what the foreign key says.
    return apps.get_model("bots", "Bot").objects


def _locked_bot(user: Any, bot_id: uuid.UUID) -> Bot:
    rows = _bots().select_for_update(of=("self",)).select_related("owner", "strategy")
    bot: Bot | None = rows.filter(owner=user, pk=bot_id).first()
    if bot is None:
        raise BotNotFound
    return bot


def _check_idle(bot: Bot, now: MarketNow) -> None:
    if bot.status == "archived":
        raise BotNotIdle("This bot is archived; set its status to idle to run it again.")
    sessions = BotSession.objects.filter(bot=bot)
    live = sessions.live().first()
    if live is not None:
        raise BotNotIdle(
            f"This bot has a live session of {live.trading_date} ({live.status});"
            " stop it or wait for its end."
        )
    if now.trading_date is not None and sessions.filter(trading_date=now.trading_date).exists():
        raise SessionExists(
            f"This bot already ran on {now.trading_date}; a bot has one session a trading day."
        )
    if sessions.unfinished().exists():
        raise BotNotIdle("The positions of this bot's last session are not settled yet.")


def _check_market(now: MarketNow) -> MarketDay:
    day = now.day
    if day is None or not now.is_open:
        hours = "" if day is None else f" ({_hours(day)})"
        raise OutsideRegularHours(
            f"It is {now.at:%Y-%m-%d %H:%M:%S} UTC on the market, outside regular trading"
            f" hours{hours}; start the session when the market is open."
        )
    halts.refuse_while_halted()
    if not now.is_healthy:
        raise LiveTradingUnavailable("The market feed is silent; try again in a moment.")
    if BotSession.objects.unfinished().count() >= settings.SESSION_CAPACITY:
        raise LiveTradingUnavailable("All engines are busy; try again later.")
    return day


def _hours(day: MarketDay) -> str:
    return f"{day.open_at:%H:%M} to {day.close_at:%H:%M} UTC on {day.trading_date}"


def _check_program(bot: Bot) -> None:
    try:
        shared_sandbox().strategy(bot.strategy.program)
    except InvalidProgram as exc:
        raise RegisterSimFailed(f"The pinned program cannot load: {exc}", status=422) from exc
    except SandboxUnavailable as exc:
        raise RegisterSimFailed(
            "No sandbox can take the program now; try again.", status=503
        ) from exc


def _new_session(bot: Bot, day: MarketDay, status: Status, now: datetime) -> BotSession:
    return BotSession(
        bot=bot,
        trading_date=day.trading_date,
        status=status,
        strategy_id=bot.strategy_id,
        strategy_name=bot.strategy_name,
        created_at=now,
    )


def _insert(session: BotSession, now: datetime) -> None:
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError as exc:  # a parallel start that does not lock the bot got there first
        raise SessionExists(f"This bot already has a session on {session.trading_date}.") from exc
    write_status(session, Status(session.status), at=now)
    transaction.on_commit(partial(_hint, session.pk))


def _hint(session_id: uuid.UUID) -> None:
    """Wake a runner up, or have one started. Losing the hint costs until the next watch."""
    wakeups.publish_asked(session_id)
    hints.hint_runners()
