"""Who may write: leases, epochs, the guarded commit, and resuming from what is committed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError
from django.db.models import F

from marketdata.models import MarketDay
from sessions import commit, financials, ownership, services
from sessions.hosted import HostedSession, NoStrategy
from sessions.ids import row_id
from sessions.models import BotSession, SessionEvent
from sessions.registration import Registrar
from sessions.replay import replay
from sessions.runner import Runner
from tests import unfenced
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
    left_out = {"owner", "epoch", "lease_until", "takeovers", "poison_seq", "poison_count", "tail"}
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
    ownership.release(owners=[first.owner])

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
    unguard(monkeypatch)
    monkeypatch.setattr(financials, "TAIL_POINTS", 1_000)  # nothing is written but the row
    zombie, hosted = zombie_and_successor(runner)

    commit.commit([hosted], owner=zombie.owner)

    assert BotSession.objects.get().last_tick_seq == 11  # thrown back from 30


def test_behind_the_fence_unique_keys_are_a_second_wall(session, runner, monkeypatch):
    unguard(monkeypatch)
    zombie, hosted = zombie_and_successor(runner)
    hosted.uncommitted.rows.add(session.events.first())
    before = durable(session)

    with pytest.raises(IntegrityError):
        commit.commit([hosted], owner=zombie.owner)

    assert durable(session) == before


def unguard(monkeypatch) -> None:
    for name, statement in unfenced.statements().items():
        monkeypatch.setattr(commit, name, statement)


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


RESTING = """\
times = ["09:30:05"]


def at(ctx, time):
    return ctx.open([sell("put", points_otm=5), buy("put", offset=-25, leg=0)], limit=3.50)
"""


@pytest.mark.parametrize("crash_after", [20, 27, 35])
def test_a_takeover_amid_re_pricing_finds_the_orders_where_they_were(
    alice, make_bot, open_market, runner, crash_after
):
    """No snapshot is written for it: stepping through the ticks again re-prices the same."""
    quiet_bot, crashed_bot = make_bot(RESTING), make_bot(RESTING)
    quiet = services.start_session(user=alice, bot_id=quiet_bot.pk)
    drive_alone = runner()
    drive(drive_alone)
    crashed = services.start_session(user=alice, bot_id=crashed_bot.pk)
    victim = runner(capacity=1)
    victim._claim()
    for seq in range(2, 61):
        market.publish([market.tick(seq, put_up_cents=30 * (seq // 6 % 3))])
        drive(drive_alone)
        drive(victim)
        if seq == crash_after:
            row = BotSession.objects.get(pk=crashed.pk)
            repriced = row.events.filter(kind="repriced").order_by("-tick_seq").first()
            assert row.state_seq < repriced.tick_seq
            BotSession.objects.filter(pk=crashed.pk).update(
                lease_until=F("lease_until") - timedelta(minutes=1)
            )
            victim = runner(capacity=1)

    assert SessionEvent.objects.filter(session=quiet, kind="repriced").count() > 6
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


class KilledOwner(BaseException):
    """What `kill -9` is to a runner: nothing of it is left to clean up."""


@pytest.fixture
def deadly(monkeypatch):
    """Makes the next tick of a session kill whoever processes it, as long as its program runs."""

    def make(session: BotSession, seq: int) -> None:
        step = HostedSession.step

        def kill(hosted, tick, requests):
            has_program = not isinstance(hosted.strategy, NoStrategy)
            if hosted.row.pk == session.pk and tick.seq == seq and has_program:
                raise KilledOwner
            step(hosted, tick, requests)

        monkeypatch.setattr(HostedSession, "step", kill)

    return make


def drive_and_release(runner) -> None:
    first = runner()
    drive(first)
    ownership.release(owners=[first.owner])


def let_owners_die(runner, count: int) -> None:
    for _ in range(count):
        with pytest.raises(KilledOwner):
            drive(runner())
        expire_leases()


def test_a_tick_that_kills_three_owners_ends_its_session_and_no_other(
    alice, make_bot, open_market, runner, deadly
):
    others = [
        services.start_session(user=alice, bot_id=make_bot(put_spread()).pk) for _ in range(2)
    ]
    culprit = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    market.publish(ticks(2, 10))
    drive_and_release(runner)
    deadly(culprit, 12)
    market.publish(ticks(11, 30))
    let_owners_die(runner, 3)

    drive(runner())

    row = BotSession.objects.get(pk=culprit.pk)
    assert row.status == "failed"
    assert row.status_reason == "poison_tick: 3 owners died after tick 10"
    for other in others:
        other.refresh_from_db()
        assert (other.status, other.last_tick_seq) == ("running", 30)
        assert not ownership.is_suspect(other)


def test_two_deaths_are_no_verdict(session, runner, deadly, monkeypatch):
    market.publish(ticks(2, 10))
    drive_and_release(runner)
    deadly(session, 11)
    market.publish(ticks(11, 30))
    let_owners_die(runner, 2)

    monkeypatch.undo()
    drive(runner())

    row = BotSession.objects.get()
    assert (row.status, row.last_tick_seq, row.poison_count) == ("running", 30, 0)


def test_owners_that_die_while_the_market_is_silent_prove_nothing(session, runner):
    market.publish(ticks(2, 10))
    drive(runner())
    for _ in range(6):
        expire_leases()
        drive(runner())
    assert BotSession.objects.get().takeovers == 6

    market.publish(ticks(11, 30))
    expire_leases()
    drive(runner())

    row = BotSession.objects.get()
    assert (row.status, row.last_tick_seq, row.poison_count) == ("running", 30, 0)


def test_an_owner_that_was_only_slow_says_that_it_lives(session, runner):
    slow = runner()
    drive(slow)
    expire_leases()
    ownership.claim(owner=runner().owner, room=10)
    suspected = BotSession.objects.get().poison_count

    market.publish(ticks(2, 5))
    drive(slow)

    assert (suspected, BotSession.objects.get().poison_count) == (1, 0)


def test_a_program_that_kills_its_owners_while_it_is_loaded_is_found_too(
    session, runner, monkeypatch
):
    """Quiet ticks are replayed at every load; there it is the replay that dies."""
    market.publish(ticks(2, 7))
    first = runner()
    drive(first)
    market.publish(ticks(8, 20))
    drive(first)
    assert BotSession.objects.get().state_seq == 7
    replay = HostedSession.replay

    def kill(hosted, given):
        if not isinstance(hosted.strategy, NoStrategy):
            raise KilledOwner
        replay(hosted, given)

    monkeypatch.setattr(HostedSession, "replay", kill)
    ownership.release(owners=[first.owner])
    let_owners_die(runner, 3)

    drive(runner())

    row = BotSession.objects.get()
    assert (row.status, row.last_tick_seq) == ("failed", 20)
    assert row.status_reason.startswith("poison_tick")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_done", [True, False])
def test_after_a_commit_without_an_answer_the_runner_reads_what_happened(
    session, sandbox, monkeypatch, is_done
):
    """Whether it was done or not, it goes on from what the row says, without waiting for a lease
    of its own to run out.
    """
    market.publish(ticks(2, 10))
    lost: list[int] = []
    real_commit = commit.commit

    def without_an_answer(sessions, *, owner):
        if len(lost) == 3:
            return real_commit(sessions, owner=owner)
        lost.append(sessions[0].uncommitted.from_seq)
        if is_done:
            real_commit(sessions, owner=owner)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("sessions.runner.commit", without_an_answer)
    monkeypatch.setattr("sessions.runner.RETRY_AFTER_SECONDS", 0.0)

    def is_there() -> bool:
        if len(lost) < 3:
            last_seq = MarketDay.objects.get().last_seq
            market.publish(ticks(last_seq + 1, last_seq + 2))
        row = BotSession.objects.get()
        return row.last_tick_seq == MarketDay.objects.get().last_seq and len(lost) == 3

    Runner(registrar=Registrar(sandbox), stop_requested=is_there, capacity=10).run()

    row = BotSession.objects.get()
    line = financials.line(row)[:, 0].tolist()
    assert line == list(range(2, row.last_tick_seq + 1))
    assert (row.takeovers, row.poison_count, row.owner) == (0, 0, None)


def test_a_session_that_cannot_be_loaded_is_kept_apart_and_the_others_run(
    alice, make_bot, open_market, runner
):
    broken = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    healthy = services.start_session(user=alice, bot_id=make_bot(put_spread()).pk)
    BotSession.objects.filter(pk=broken.pk).update(fee_schedule={"unknown": 1})
    market.publish(ticks(2, 5))

    drive(runner())

    row = BotSession.objects.get(pk=broken.pk)
    assert (row.status, row.owner) == ("failed", None)
    assert row.status_reason.startswith("engine_error")
    assert BotSession.objects.get(pk=healthy.pk).last_tick_seq == 5
    assert ownership.claim(owner=runner().owner, room=10) == []


def test_an_error_of_ours_after_quiet_ticks_ends_the_session_where_it_stood(
    session, runner, monkeypatch
):
    """The snapshot is of tick 7, the commits went on to tick 20: nothing is stepped twice."""
    driver = runner()
    market.publish(ticks(2, 7))
    drive(driver)
    market.publish(ticks(8, 20))
    drive(driver)
    step = HostedSession.step

    def broken(hosted, tick, requests):
        if not isinstance(hosted.strategy, NoStrategy):
            raise ZeroDivisionError
        step(hosted, tick, requests)

    monkeypatch.setattr(HostedSession, "step", broken)

    market.publish(ticks(21, 25))
    drive(driver)

    row = BotSession.objects.get()
    assert row.status_reason.startswith("engine_error")
    assert row.last_tick_seq == 20
    assert financials.line(row)[:, 0].tolist() == list(range(2, 21))


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


@pytest.mark.parametrize("is_closed_before", [True, False])
def test_a_stop_around_the_close_that_its_owner_did_not_live_to_obey_is_obeyed_by_the_next(
    alice, session, runner, sandbox, is_closed_before
):
    """The row is `killing` already, the engine still runs or waits for the settlement."""
    market.publish(ticks(2, 20))
    if is_closed_before:
        market.close(settlement_cents=None)
    drive(runner())
    services.request_stop(user=alice, session=session, flatten=False, now=market.CLOSE_AT)
    expire_leases()

    market.close(settlement_cents=594_000)
    drive(runner())

    row = BotSession.objects.get()
    assert (row.status, row.settled_at is None) == ("completed", False)
    assert replay(session.pk, sandbox=sandbox).differences == []


def test_rows_have_ids_that_can_be_derived_again(session, runner):
    market.publish(ticks(2, 30))
    drive(runner())

    events = list(SessionEvent.objects.all())

    assert len(events) > 5
    for event in events:
        assert event.pk == row_id(session.pk, "event", f"{event.tick_seq}.{event.index}")
