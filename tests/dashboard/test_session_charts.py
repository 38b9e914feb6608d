"""What the session page draws and counts down: the index, its marks, the next nudge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.times import to_ms
from dashboard.reads.day import orders_of
from sessions.models import BotSession
from sessions.registration import Registrar
from sessions.runner import Runner
from sessions.services import start_session
from strategies.models import Strategy
from strategies.runtime.program import source_hash
from strategies.runtime.sandbox import Sandbox
from tests.factories import BotFactory, StrategyLinkFactory
from tests.sessions import market
from tests.sessions.conftest import drive, put_spread


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


@pytest.fixture
def session(alice, open_market, sandbox) -> BotSession:
    """Run by a real runner to second 9: entered at 09:30:05, its limit rests at the mid."""
    program = put_spread()
    strategy = Strategy.objects.create(source_hash=source_hash(program), program=program)
    link = StrategyLinkFactory(owner=alice, strategy=strategy)
    bot = BotFactory(owner=alice, strategy_link=link)
    session = start_session(user=alice, bot_id=bot.pk)
    run(sandbox, 2, 10)
    return BotSession.objects.get(pk=session.pk)


def run(sandbox: Sandbox, first_seq: int, last_seq: int, **changes: int) -> None:
    """Publish the ticks and let a new runner take over and drive every session through them."""
    market.publish([market.tick(seq, **changes) for seq in range(first_seq, last_seq + 1)])
    BotSession.objects.update(lease_until=None, owner=None)
    drive(Runner(registrar=Registrar(sandbox), stop_requested=lambda: False, capacity=10))


def nudge_seconds(session: BotSession) -> float:
    (order,) = orders_of(session)
    return (order.nudge_at_ms - to_ms(market.OPEN_AT)) / 1000


def test_the_next_nudge_counts_from_the_placement(session) -> None:
    assert nudge_seconds(session) == 5 + 20  # nudge_after_seconds


def test_a_move_beyond_the_tolerance_starts_the_window_again_though_nothing_was_written(
    session, sandbox
) -> None:
    run(sandbox, 11, 11, put_up_cents=-40)  # from 2.50 to 2.10: the limit follows up to its cap
    run(sandbox, 12, 15, put_up_cents=-60)  # on to 1.90: not flat, and the limit rests
    session.refresh_from_db()

    assert session.state_seq < session.last_tick_seq
    assert nudge_seconds(session) == 11 + 20


def test_an_order_whose_repricing_is_off_has_no_next_nudge(session) -> None:
    session.policy["reprice"]["opening"]["enabled"] = False
    session.save(update_fields=["policy"])

    (order,) = orders_of(session)

    assert order.nudge_at_ms is None


def test_the_index_is_drawn_over_the_sessions_own_seconds(browser, session) -> None:
    address = f"/dashboard/bots/{session.bot_id}/sessions/{session.pk}/spot"

    whole = browser.get(address).json()
    last_at = to_ms(market.from_open(9)) // 1000
    later = browser.get(f"{address}?after={last_at - 1}").json()

    assert whole["spot_cents"] == [market.SPOT_CENTS] + [0] * (len(whole["at"]) - 1)  # as steps
    assert sum(whole["at"]) == last_at
    assert later == {"at": [last_at], "spot_cents": [market.SPOT_CENTS]}


def test_what_was_traded_is_marked(browser, session, sandbox) -> None:
    address = f"/dashboard/bots/{session.bot_id}/sessions/{session.pk}/marks"
    before = browser.get(address).json()["marks"]

    run(sandbox, 11, 40)  # conceded at second 25, filled at 26
    marks = browser.get(address).json()["marks"]

    assert before == []
    assert [mark["kind"] for mark in marks] == ["reprice", "entry"]
    assert [mark["at"] - to_ms(market.OPEN_AT) // 1000 for mark in marks] == [25, 26]


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("event=order_placed", ["order placed"], ["started"]),
        ("decision=signal", [], ["chose"]),
        ("text=no-such-word", ["The strategy has said nothing"], []),
    ],
)
def test_the_logs_can_be_filtered(browser, session, query, shown, hidden) -> None:
    address = f"/dashboard/bots/{session.bot_id}/sessions/{session.pk}/log"

    text = browser.get(f"{address}?{query}").content.decode()

    assert all(word in text for word in shown)
    assert not any(word in text for word in hidden)
