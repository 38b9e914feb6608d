"""Who may write: leases, epochs, the guarded commit, and resuming from what is committed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.models import F

from sessions import commit, financials, ownership, services
from sessions.ids import row_id
from sessions.models import BotSession, SessionEvent
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(alice, make_bot, open_market) -> BotSession:
    return services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)


def ticks(first: int, last: int):
    return [market.tick(seq) for seq in range(first, last + 1)]


def expire_leases() -> None:
    BotSession.objects.update(lease_until=F("lease_until") - timedelta(minutes=1))


def durable(session: BotSession) -> dict:
    """Everything a session wrote, without who ran it and when."""
    row = BotSession.objects.get(pk=session.pk)
    left_out = {"owner", "epoch", "lease_until", "takeovers", "poison_seq", "poison_count"}
    columns = {
        field.attname: getattr(row, field.attname)
        for field in BotSession._meta.concrete_fields
        if field.name not in left_out | {"state_seq"}
    }
    below = {
        name: list(getattr(row, name).order_by("pk").values())
        for name in ("orders", "trades", "positions", "transactions", "decisions", "events")
    }
    return {**columns, **below, "line": financials.line(row).tolist()}


def test_a_held_session_is_not_claimed_again(session, runner):
    first = runner()
    drive(first)

    assert ownership.claim(owner=runner().owner, room=10) == []


def test_an_expired_lease_is_taken_over_under_a_new_epoch(session, runner):
    drive(runner())
    before = BotSession.objects.get()
    expire_leases()

    (taken,) = ownership.claim(owner=runner().owner, room=10)

    assert (taken.epoch, taken.takeovers) == (before.epoch + 1, 1)


def test_a_released_session_is_free_at_once_and_counts_no_takeover(session, runner):
    first = runner()
    drive(first)
    ownership.release(owner=first.owner)

    (taken,) = ownership.claim(owner=runner().owner, room=10)

    assert taken.takeovers == 0


def zombie_and_successor(runner):
    """A runner frozen past its lease with one tick stepped but not committed, and its successor."""
    zombie = runner()
    market.publish(ticks(2, 10))
    drive(zombie)
    (hosted,) = zombie._hosted.values()
    expire_leases()
    market.publish(ticks(11, 30))
    successor = runner()
    drive(successor)
    hosted.step(market.tick(11), ())
    return zombie, hosted


def test_a_zombie_writes_nothing(session, runner):
    zombie, hosted = zombie_and_successor(runner)
    before = durable(session)

    kept = commit.commit([hosted], owner=zombie.owner)

    assert kept == []
    assert durable(session) == before


def test_without_the_fence_the_same_zombie_does_harm(session, runner, monkeypatch):
    """The control of the test above: what stops a zombie is the guard, not luck."""
    guard = "WHERE s.id = v.id AND s.epoch = v.epoch AND s.last_tick_seq = v.old_seq"
    unguarded = commit._GUARDED_UPDATE.replace(guard, "WHERE s.id = v.id")
    unguarded = unguarded.replace("AND s.owner = %(owner)s", "")
    assert unguarded != commit._GUARDED_UPDATE
    monkeypatch.setattr(commit, "_GUARDED_UPDATE", unguarded)
    zombie, hosted = zombie_and_successor(runner)

    with pytest.raises(IntegrityError):  # the second wall: this tick's rows exist already
        commit.commit([hosted], owner=zombie.owner)
    hosted.uncommitted.points.clear()
    commit.commit([hosted], owner=zombie.owner)

    assert BotSession.objects.get().last_tick_seq == 11  # thrown back from 30


@pytest.mark.parametrize("crash_after", [2, 6, 7, 20, 26, 27, 28, 59])
def test_a_crash_between_any_two_commits_changes_no_row(
    alice, make_bot, open_market, runner, crash_after
):
    """Two bots of one program: one is driven undisturbed, the other loses its runner once."""
    quiet_bot, crashed_bot = make_bot(put_spread()), make_bot(put_spread())
    quiet = services.start_session(user=alice, bot_id=quiet_bot.pk)
    drive_alone = runner()
    drive(drive_alone)
    crashed = services.start_session(user=alice, bot_id=crashed_bot.pk)
    victim = runner(capacity=1)
    victim._claim()  # the victim holds `crashed` only: `quiet` is held already
    for seq in range(2, 61):
        market.publish([market.tick(seq)])
        drive(drive_alone)
        drive(victim)
        if seq == crash_after:
            BotSession.objects.filter(pk=crashed.pk).update(
                lease_until=F("lease_until") - timedelta(minutes=1)
            )
            victim = runner(capacity=1)
    market.close(settlement_cents=594_000)
    drive(drive_alone)
    drive(victim)

    assert BotSession.objects.get(pk=crashed.pk).takeovers == 1
    assert comparable(crashed) == comparable(quiet)


def comparable(session: BotSession) -> dict:
    """Durable rows without what differs between two sessions: their ids."""
    rows = durable(session)
    names = {"id", "bot_id", "session_id", "created_at"}
    plain = {key: value for key, value in rows.items() if key not in names}
    for key, value in plain.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            stripped = [{k: v for k, v in row.items() if k not in names} for row in value]
            plain[key] = sorted(stripped, key=repr)
    return plain


def test_quiet_ticks_are_replayed_not_lost(session, runner):
    """The snapshot is not written on quiet ticks; a new owner steps through them again."""
    first = runner()
    market.publish(ticks(2, 7))
    drive(first)
    market.publish(ticks(8, 20))
    drive(first)
    row = BotSession.objects.get()
    assert (row.last_tick_seq, row.state_seq) == (20, 7)
    expire_leases()

    second = runner()
    market.publish(ticks(21, 27))
    drive(second)

    # The 20 flat seconds counted across the change of owner: nudged at tick 26, filled at 27.
    order = BotSession.objects.get().orders.get()
    assert (order.status, order.filled_at) == ("filled", market.from_open(26))


def test_a_tick_that_kills_three_owners_ends_the_session_without_its_program(session, runner):
    market.publish(ticks(2, 10))
    drive(runner())
    for _ in range(3):
        expire_leases()
        ownership.claim(owner=runner().owner, room=10)
    expire_leases()

    market.publish(ticks(11, 13))
    drive(runner())

    row = BotSession.objects.get()
    assert row.status == "failed"
    assert row.status_reason.startswith("poison_tick")


def test_an_error_of_ours_fails_one_session_and_no_other(
    alice, make_bot, open_market, runner, monkeypatch
):
    broken = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    healthy = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    driver = runner()
    drive(driver)
    hosted = driver._hosted[broken.pk]
    monkeypatch.setattr(hosted, "step", lambda tick, requests: 1 / 0)

    market.publish(ticks(2, 5))
    drive(driver)

    assert BotSession.objects.get(pk=broken.pk).status_reason.startswith("engine_error")
    assert BotSession.objects.get(pk=healthy.pk).last_tick_seq == 5


def test_rows_have_ids_that_can_be_derived_again(session, runner):
    market.publish(ticks(2, 30))
    drive(runner())

    events = list(SessionEvent.objects.all())

    assert len(events) > 5
    for event in events:
        assert event.pk == row_id(session.pk, "event", f"{event.tick_seq}.{event.index}")
