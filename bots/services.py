"""Creating, editing and deleting bots, and the auto-started sessions of a day.

Writers of a bot lock its row first: an edit merges into what it locked, and neither an archive nor
a delete can pass a session that is just being started.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.models import User
from bots import queries
from bots.fields import LIVE_SIM
from bots.inputs import policy_refusal
from bots.models import Bot
from common import errors
from marketdata.models import MarketDay
from sessions import halts
from sessions import services as session_services
from sessions.models import BotSession
from simengine.policy import PolicyError, merged
from strategies.models import StrategyLink

log = logging.getLogger(__name__)


class StrategyNotFoundOrNotOwned(errors.Forbidden):
    code = "strategy_not_found_or_not_owned"


class EngineNotAvailable(errors.Conflict):
    code = "engine_not_available"


class NameTaken(errors.Conflict):
    code = "name_taken"


class BotHasActiveSession(errors.Conflict):
    code = "bot_has_active_session"


@transaction.atomic
def create_bot(
    *,
    owner: User,
    strategy_id: UUID,
    name: str,
    starting_capital_cents: int,
    now: datetime,
    description: str = "",
    engine: str = LIVE_SIM,
    policy: Mapping[str, Any] | None = None,
    schedule: Mapping[str, Any] | None = None,
) -> Bot:
    """A bot on the strategy behind one of the owner's links, its balance the starting capital.

    Refuses, in this order: InvalidInput or InvalidReprice, StrategyNotFoundOrNotOwned,
    EngineNotAvailable, NameTaken.
    """
    frozen = _merged_policy({}, policy or {})
    link = _own_link(owner, strategy_id)
    if engine != LIVE_SIM:
        raise EngineNotAvailable(f"The engine {engine} is not available; use {LIVE_SIM}.")
    _refuse_taken_name(owner_id=owner.pk, name=name)
    with _name_race(name):
        return Bot.objects.create(
            owner=owner,
            name=name,
            description=description,
            engine=engine,
            strategy_id=link.strategy_id,
            strategy_link=link,
            strategy_name=link.name,
            strategy_kind=link.kind,
            starting_capital_cents=starting_capital_cents,
            cash_balance_cents=starting_capital_cents,
            policy=frozen,
            **_schedule_columns(Bot(), schedule or {}, now),
        )


@transaction.atomic
def update_bot(*, bot: Bot, changes: Mapping[str, Any], now: datetime) -> Bot:
    """Apply only what was sent: name, description, status; `policy` and `schedule` are merged.

    A running session keeps the policy it froze. Refuses InvalidInput, InvalidReprice,
    BotHasActiveSession (archiving below a live session), NameTaken, BotNotFound.
    """
    locked = _locked(bot)
    columns = _changed_columns(locked, changes, now)
    if columns.get("status") == Bot.Status.ARCHIVED and _live_sessions(locked).exists():
        raise _has_live_session(locked, "archived")
    for column, value in columns.items():
        setattr(locked, column, value)
    if locked.status != Bot.Status.ARCHIVED and {"name", "status"} & columns.keys():
        _refuse_taken_name(owner_id=locked.owner_id, name=locked.name, besides=locked.pk)
    if columns:
        with _name_race(locked.name):
            locked.save(update_fields=[*columns, "updated_at"])
    return locked


@transaction.atomic
def delete_bot(*, bot: Bot) -> None:
    """Delete a bot and everything its sessions wrote. Refuses BotHasActiveSession, BotNotFound.

    Ended sessions are locked before the bot, as settlement does: a runner that still settles one
    waits, then finds its row gone and drops it. A session that was live when we looked is never
    locked here, as its start holds the bot while it writes the session; it refuses the delete.
    """
    ended = BotSession.objects.filter(bot=bot).exclude(pk__in=_live_sessions(bot))
    locked_sessions = list(ended.select_for_update().values_list("pk", flat=True))
    locked = _locked(bot)
    if locked.sessions.exclude(pk__in=locked_sessions).exists():
        raise _has_live_session(locked, "deleted")
    locked.delete()


def schedule_day(*, day: MarketDay, now: datetime) -> list[BotSession]:
    """The sessions this made for the bots due on `day`; safe twice at once. `now`: market time.

    None while trading is halted, nor later on a day whose open, or what came after, was: a session
    made then would trade the halted hours in retrospect.
    """
    made: list[BotSession] = []
    if halts.was_on(since=day.opened_at):
        return made
    for bot in queries.due_for_auto_start(day):
        try:
            session = _schedule(bot, day, now)
        except errors.Refusal as refusal:
            log.warning("bot %s was not scheduled for %s: %s", bot.pk, day.pk, refusal.message)
            continue
        if session is not None:
            made.append(session)
    return made


@transaction.atomic
def _schedule(bot: Bot, day: MarketDay, now: datetime) -> BotSession | None:
    # Asked again under the lock: the bot may have been archived since the list was read.
    due = queries.due_for_auto_start(day).select_for_update(of=("self",)).filter(pk=bot.pk)
    locked = due.first()
    if locked is None:
        return None
    return session_services.schedule_session(bot=locked, day=day, now=now)


def _own_link(owner: User, strategy_id: UUID) -> StrategyLink:
    # Locked so that it cannot be deleted between this look and the bot that points at it.
    link = (
        StrategyLink.objects.owned_by(owner)
        .select_for_update(no_key=True)
        .filter(pk=strategy_id)
        .first()
    )
    if link is None:
        raise StrategyNotFoundOrNotOwned("You have no saved strategy with this id.")
    return link


def _locked(bot: Bot) -> Bot:
    locked = Bot.objects.select_for_update().filter(pk=bot.pk).first()
    if locked is None:
        raise queries.BotNotFound
    return locked


def _changed_columns(bot: Bot, changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    columns = {name: changes[name] for name in ("name", "description", "status") if name in changes}
    if "policy" in changes:
        columns["policy"] = _merged_policy(bot.policy, changes["policy"])
    columns |= _schedule_columns(bot, changes.get("schedule", {}), now)
    is_unarchived = bot.status == Bot.Status.ARCHIVED and columns.get("status") == Bot.Status.IDLE
    if is_unarchived and bot.auto_start and "auto_start_since" not in columns:
        # An archived bot was not waiting for the open; it starts waiting now.
        columns["auto_start_since"] = now
    return columns


def _schedule_columns(bot: Bot, schedule: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    columns = {name: schedule[name] for name in ("auto_start", "weekdays") if name in schedule}
    if columns.get("auto_start", bot.auto_start) != bot.auto_start:
        columns["auto_start_since"] = now if columns["auto_start"] else None
    return columns


def _merged_policy(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return merged(current, changes)
    except PolicyError as error:
        raise policy_refusal(error) from None


def _live_sessions(bot: Bot) -> QuerySet[BotSession]:
    return BotSession.objects.live().filter(bot=bot)


def _has_live_session(bot: Bot, wish: str) -> BotHasActiveSession:
    return BotHasActiveSession(
        f"{bot.name} has a live session and cannot be {wish}; stop the session first."
    )


def _refuse_taken_name(*, owner_id: UUID, name: str, besides: UUID | None = None) -> None:
    namesakes = Bot.objects.active().filter(owner_id=owner_id, name=name)
    if besides is not None:
        namesakes = namesakes.exclude(pk=besides)
    if namesakes.exists():
        raise _name_taken(name)


@contextmanager
def _name_race(name: str) -> Iterator[None]:
    """The constraint has the last word: a parallel write may just have taken the name."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "unique_name_among_active_bots" not in str(error):
            raise
        raise _name_taken(name) from None


def _name_taken(name: str) -> NameTaken:
    return NameTaken(f"You already have an active bot named {name!r}; choose another name.")
