"""`bin/manage replay`: a session once more from its ticks, beside every row it has."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from marketdata import recorder, ticklog
from marketdata.models import MarketDay
from sessions import ownership, services
from sessions.hosted import HostedSession, NoStrategy
from sessions.models import (
    BotSession,
    Decision,
    Entry,
    FinancialChunk,
    Order,
    Position,
    SessionEvent,
    Trade,
    Transaction,
)
from sessions.replay import CannotReplay, replay
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread

pytestmark = pytest.mark.django_db
TALKS = """\
times = ["09:30:05", "09:30:40"]


def on_start(ctx):
    ctx.state = {"seen": 0}


def on_tick(ctx):
    ctx.state["seen"] += 1
    if ctx.state["seen"] % 10 == 0:
        ctx.log("seen", ticks=ctx.state["seen"])


def at(ctx, time):
    ctx.open([sell("put", points_otm=5), buy("put", offset=-25, leg=0)])
"""


@pytest.fixture
def start(alice, make_bot, open_market):
    def start(program: str | None = None) -> BotSession:
        bot = make_bot(program or put_spread())
        return services.start_session(user=alice, bot_id=bot.pk)

    return start


def ticks(first: int, last: int, **changes: int):
    return [market.tick(seq, **changes) for seq in range(first, last + 1)]


@pytest.fixture
def settled(start, runner) -> BotSession:
    session = start(TALKS)
    market.publish(ticks(2, 60))
    market.close(settlement_cents=594_000)
    drive(runner())
    return session


def differences(session: BotSession, sandbox) -> list[str]:
    return [str(item) for item in replay(session.pk, sandbox=sandbox).differences]


def test_a_settled_session_is_identical(settled, sandbox):
    replayed = replay(settled.pk, sandbox=sandbox)

    # The session, 2 orders, 2 trades, 2 positions, the transactions …, and 59 seconds of its line.
    below = sum(
        model.objects.count()
        for model in (Order, Trade, Position, Transaction, Decision, Entry, SessionEvent)
    )
    assert replayed.differences == []
    assert replayed.row_count == 1 + below + 59
    assert Order.objects.count() == 2
    assert Decision.objects.count() == 5


def test_a_running_session_is_identical_up_to_its_last_tick(start, runner, sandbox):
    session = start(TALKS)
    driver = runner()
    for last_seq in (12, 26, 33, 47):
        row = BotSession.objects.get()
        market.publish(ticks(row.last_tick_seq + 1, last_seq))
        drive(driver)

        assert differences(session, sandbox) == []

    assert BotSession.objects.get().status == "running"


def test_a_session_that_waits_for_its_settlement_is_identical(start, runner, sandbox):
    session = start()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=None)

    drive(runner())

    assert BotSession.objects.get().status == "settling"
    assert differences(session, sandbox) == []


@pytest.mark.parametrize("flatten", [False, True])
def test_a_stop_is_replayed_at_the_tick_it_was_obeyed_at(alice, start, runner, sandbox, flatten):
    session = start(TALKS)
    driver = runner()
    market.publish(ticks(2, 45))
    drive(driver)
    services.request_stop(user=alice, session=session, flatten=flatten, now=market.from_open(45))
    market.publish(ticks(46, 50))
    drive(driver)

    market.close(settlement_cents=594_000)
    drive(driver)

    assert BotSession.objects.get().status == "killed"
    assert differences(session, sandbox) == []


def test_a_session_given_up_before_its_first_tick_has_the_entries_of_its_program(
    start, runner, sandbox
):
    """Nobody runs the program any more; which entries it would have made is known all the same."""
    session = start(TALKS)
    BotSession.objects.update(poison_count=ownership.POISONED_AFTER_OWNERS)
    market.publish(ticks(2, 10))
    driver = runner()
    drive(driver)
    market.close(settlement_cents=594_000)
    drive(driver)

    ended = BotSession.objects.get()
    assert (ended.status, ended.status_reason) == (
        "failed",
        "poison_tick: 3 owners died after tick 1",
    )
    assert set(session.entries.values_list("outcome", flat=True)) == {"missed"}
    assert differences(session, sandbox) == []


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Runners that wait for no tick to obey a request."""
    monkeypatch.setattr("sessions.runner.OBEY_WITHOUT_TICK_AFTER_SECONDS", 0.0)


def test_requests_obeyed_between_two_ticks_are_replayed_between_them(
    alice, start, runner, sandbox, impatient
):
    """The order fills at tick 27. What is cancelled after that tick is not cancelled with it."""
    session = start(TALKS)
    driver = runner()
    market.publish(ticks(2, 27))
    drive(driver)
    assert Order.objects.get().status == "filled"
    for _ in range(3):
        services.request_cancel_all(user=alice, session=session, now=market.from_open(27))
        drive(driver)
    market.publish(ticks(28, 45))
    drive(driver)
    services.request_cancel_all(user=alice, session=session, now=market.from_open(45))
    services.request_stop(user=alice, session=session, flatten=False, now=market.from_open(45))
    drive(driver)
    market.close(settlement_cents=594_000)
    drive(driver)

    notes = SessionEvent.objects.filter(kind="obeyed_without_tick").order_by("tick_seq", "index")

    found = [(note.tick_seq, note.index, note.data["requests"]) for note in notes]
    assert found == [
        (27, 2000, ["cancel_all"]),
        (27, 2001, ["cancel_all"]),
        (27, 2002, ["cancel_all"]),
        (45, 2000, ["cancel_all", "kill"]),
    ]
    assert differences(session, sandbox) == []


def test_a_stop_between_the_close_and_the_settlement_is_replayed(
    alice, start, runner, sandbox, impatient
):
    session = start()
    driver = runner()
    market.publish(ticks(2, 60))
    market.close(settlement_cents=None)
    drive(driver)
    services.request_stop(user=alice, session=session, flatten=False, now=market.CLOSE_AT)
    drive(driver)
    market.close(settlement_cents=594_000)
    drive(driver)

    row = BotSession.objects.get()

    assert (row.status, row.settled_at is None) == ("killed", False)
    assert differences(session, sandbox) == []


def test_a_scheduled_session_stopped_before_the_open_is_replayed(
    alice, make_bot, runner, sandbox, impatient
):
    day = market.announce()
    session = services.schedule_session(
        bot=make_bot(put_spread()), day=day, now=market.OPEN_AT - timedelta(minutes=5)
    )
    services.request_stop(user=alice, session=session, flatten=False, now=market.OPEN_AT)
    drive(runner())

    assert BotSession.objects.get().status == "killed"
    assert differences(session, sandbox) == []


def break_program(monkeypatch) -> None:
    """From now on the engine fails on every session that still has its program."""
    step = HostedSession.step

    def broken(hosted, tick, requests):
        if not isinstance(hosted.strategy, NoStrategy):
            raise ZeroDivisionError
        step(hosted, tick, requests)

    monkeypatch.setattr(HostedSession, "step", broken)


def test_an_end_that_the_runner_decided_is_replayed(start, runner, sandbox, monkeypatch):
    session = start(TALKS)
    driver = runner()
    market.publish(ticks(2, 30))
    drive(driver)
    break_program(monkeypatch)
    market.publish(ticks(31, 40))
    drive(driver)

    row = BotSession.objects.get()

    assert (row.status, row.error_count) == ("failed", 0)
    assert row.status_reason.startswith("engine_error")
    monkeypatch.undo()
    assert differences(session, sandbox) == []


def test_a_program_that_cannot_load_is_replayed(make_bot, open_market, runner, sandbox):
    day = MarketDay.objects.get()
    session = services.schedule_session(bot=make_bot("def at(ctx:\n"), day=day, now=market.OPEN_AT)
    drive(runner())

    assert BotSession.objects.get().status_reason.startswith("strategy_cannot_load")
    assert differences(session, sandbox) == []


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [
        (BotSession, "total_pl_cents", 1),
        (BotSession, "status_reason", "of its own accord"),
        (Order, "fill_price_cents", -300),
        (Order, "replace_count", 9),
        (Trade, "profit_cents", 1),
        (Position, "realized_cents", 1),
        (Transaction, "fees_cents", 1),
        (Decision, "message", "heard"),
        (Entry, "outcome", "missed"),
    ],
)
def test_a_changed_row_is_named_with_both_values(settled, sandbox, model, column, value):
    key = "id" if model is BotSession else "session"
    row = model.objects.filter(**{key: settled.pk}).order_by("pk").first()
    before = getattr(row, column)
    model.objects.filter(pk=row.pk).update(**{column: value})

    (difference,) = replay(settled.pk, sandbox=sandbox).differences

    assert (difference.key, difference.column) == (str(row.pk), column)
    assert (difference.stored, difference.replayed) == (value, before)


def test_a_changed_snapshot_or_event_is_named_down_to_its_part(settled, sandbox):
    row = BotSession.objects.get()
    BotSession.objects.update(state={**row.state, "fill_count": 77})
    event = SessionEvent.objects.filter(kind="filled").first()
    SessionEvent.objects.filter(pk=event.pk).update(data={**event.data, "order": 88})

    snapshot, changed = replay(settled.pk, sandbox=sandbox).differences

    assert (snapshot.column, snapshot.stored, snapshot.replayed) == (
        "state.fill_count",
        77,
        row.state["fill_count"],
    )
    assert (changed.key, changed.column) == (str(event.pk), "data.order")
    assert (changed.stored, changed.replayed) == (88, event.data["order"])


@pytest.mark.parametrize("model", [Order, Trade, Position, Transaction, Decision, Entry])
def test_a_missing_row_is_named(settled, sandbox, model):
    row = model.objects.order_by("pk").first()
    model.objects.filter(pk=row.pk).delete()

    (difference,) = replay(settled.pk, sandbox=sandbox).differences

    assert (difference.key, difference.stored) == (str(row.pk), "(no such row)")


def test_a_missing_second_of_the_line_is_named(settled, sandbox):
    FinancialChunk.objects.all().delete()

    found = differences(settled, sandbox)

    assert len(found) == 59
    assert found[0].startswith("financials tick 2, row: stored '(no such row)'")


def test_without_the_tick_log_the_days_tape_is_replayed(settled, sandbox, tmp_path):
    day = MarketDay.objects.get()
    assert recorder.pack(day, tmp_path, lambda: True)
    services.stamp_tapes()
    ticklog.drop_partition(day.trading_date)

    assert differences(settled, sandbox) == []


def test_another_tape_is_not_replayed(settled, sandbox, tmp_path):
    day = MarketDay.objects.get()
    recorder.pack(day, tmp_path, lambda: True)
    BotSession.objects.update(tape_digest="0" * 64)
    ticklog.drop_partition(day.trading_date)

    with pytest.raises(CannotReplay, match="not the tape the session ran on"):
        replay(settled.pk, sandbox=sandbox)


def answer(session_id: object) -> tuple[str, str, int]:
    """Output, complaint and exit status of the command."""
    out = StringIO()
    try:
        call_command("replay", str(session_id), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), "", 0


def test_the_command_says_identical_and_how_many_rows(settled):
    out, complaint, status = answer(settled.pk)

    assert out.startswith("identical (")
    assert (complaint, status) == ("", 0)


def test_the_command_shows_the_first_difference_and_returns_1(settled):
    Order.objects.filter(number=1).update(units=7)

    out, complaint, status = answer(settled.pk)

    assert "units: stored 7, replayed 1" in out
    assert (complaint, status) == ("1 differences", 1)


def test_the_command_returns_2_and_why_where_nothing_can_be_replayed(settled):
    day = MarketDay.objects.get()
    BotSession.objects.filter(pk=settled.pk).update(engine_version="0.0")
    other_engine = answer(settled.pk)
    BotSession.objects.filter(pk=settled.pk).update(engine_version=settled.engine_version)
    ticklog.drop_partition(day.trading_date)
    no_ticks = answer(settled.pk)

    assert other_engine[2] == no_ticks[2] == 2
    assert "it ran on engine 0.0" in other_engine[1]
    assert "the tick log of 2026-05-07 is gone and it has no tape" in no_ticks[1]
    assert answer(uuid.uuid4())[1:] == (
        "cannot be replayed: there is no session with this id",
        2,
    )
    assert answer("no id")[2] == 2


def test_a_tick_that_is_missing_from_the_log_is_named(settled, sandbox):
    with pytest.raises(CannotReplay, match="tick 31 of 2026-05-07 is missing"):
        replay(settled.pk, sandbox=sandbox, ticks=[*ticks(1, 30), *ticks(32, 60)])
