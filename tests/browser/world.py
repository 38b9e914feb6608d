"""A world in which every page has something to show, and the address of every page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from accounts.models import User
from alerts.models import Channel, Delivery
from bots.models import Bot
from common.times import to_ms
from marketdata.models import Tick
from sessions import financials
from sessions.models import BotSession, Transaction
from simengine.step import Financials
from strategies.models import StrategyLink
from tests.dashboard.conftest import make_order, make_trade, write_line
from tests.factories import TODAY, BotFactory, BotSessionFactory
from tests.sessions import market

DAY_SECONDS = 23_400  # 9:30 to 16:00


@dataclass(frozen=True)
class World:
    live: BotSession
    settled: BotSession
    archived: Bot
    link: StrategyLink

    def addresses(self) -> dict[str, str]:
        """Every page by name. A page that asks something is one of its own."""
        bot, other = f"/bots/{self.live.bot_id}", f"/bots/{self.settled.bot_id}"
        session = f"{bot}/sessions/{self.live.pk}"
        strategy = f"/strategies/{self.link.pk}"
        return {
            "overview": "/",
            "archived": "/?show=archived",
            "bot": bot,
            "bot-archived": f"/bots/{self.archived.pk}",
            "bot-new": "/bots/new",
            "bot-edit": f"{bot}/edit",
            "bot-start": f"{other}/start",
            "bot-archive": f"{other}/archive",
            "session": session,
            "session-settled": f"{other}/sessions/{self.settled.pk}",
            "session-stop": f"{session}/stop",
            "session-cancel": f"{session}/cancel-orders",
            "strategies": "/strategies",
            "strategy-new": "/strategies/new?template=iron-condor",
            "strategy-program": "/strategies/new?kind=program",
            "strategy": strategy,
            "strategy-delete": f"{strategy}/delete",
            "market": "/market",
            "account": "/account",
            "alerts": "/account/alerts",
            "not-found": "/nothing-here",
        }


def build(owner: User) -> World:
    """A running session with trades and orders, a bot with settled days, alerts, a market."""
    market.announce()
    market.publish([market.tick(seq) for seq in range(1, 31)])
    market.set_clock(market.from_open(30), None)
    live = BotSessionFactory(
        bot__owner=owner,
        bot__name="Put spread",
        last_tick_seq=30,
        created_at=market.OPEN_AT,
        last_tick_at=market.from_open(29),
    )
    _trade(live)
    settled = _settled_days(BotFactory(owner=owner, name="Iron condor", description="Three a day."))
    _alerts(owner)
    archived = BotFactory(owner=owner, name="Put away", archived=True)
    link = live.bot.strategy_link
    assert link is not None
    return World(live, settled, archived, link)


def _trade(session: BotSession) -> None:
    write_line(session, *range(0, -30_000, -1_000))
    make_trade(session)
    make_trade(session, id=uuid4(), number=2, status="closed", exit_cents=130, profit_cents=-24_000)
    make_order(session)
    make_order(session, id=uuid4(), number=3, status="rejected", reject_reason="buying_power")
    tick = {"at": market.from_open(20), "tick_seq": 21}
    for number, outcome in enumerate(("filled", "skipped", "planned"), start=1):
        session.entries.create(id=uuid4(), number=number, outcome=outcome, reason="late", **tick)
    session.decisions.create(
        id=uuid4(), number=1, kind="signal", name="wide_day", data={"move_cents": -250}, **tick
    )
    session.events.create(
        id=uuid4(), index=1, kind="repriced", data={"order": 2, "peg_cents": -260}, **tick
    )
    for number, effect in enumerate(("credit", "debit"), start=1):
        Transaction.objects.create(
            id=uuid4(),
            session=session,
            number=number,
            instrument="SPXW  260507P05945000",
            type="sell to open",
            quantity=1,
            price_cents=26_000,
            value_cents=26_000,
            effect=effect,
            fees_cents=172,
            **tick,
        )


def _settled_days(bot: Bot) -> BotSession:
    """Five of them; the newest is given back."""
    days = [
        BotSessionFactory(
            bot=bot, settled=True, trading_date=TODAY - timedelta(days=back), total_pl_cents=pl
        )
        for back, pl in ((6, 31_240), (5, -12_000), (3, 0), (2, 8_000), (1, -40_000))
    ]
    return days[-1]


def _alerts(owner: User) -> None:
    channel = Channel.objects.create(
        owner=owner, type="webhook", url="https://example.com/hook", since=market.OPEN_AT
    )
    Delivery.objects.create(
        channel=channel,
        event_id=uuid4(),
        kind="filled",
        body={"text": "Put spread sold one at 2.60"},
        status="failed",
        attempts=3,
        answer="503",
        due_at=timezone.now(),
    )


def fill_the_day(session: BotSession) -> None:
    """A whole day of a session that is running: 23,400 seconds of profit and of the index."""
    first = to_ms(market.OPEN_AT)
    points = [
        Financials(seq, first + 1000 * (seq - 1), *_books(seq))
        for seq in range(31, DAY_SECONDS + 1)
    ]
    financials.chunk(session.pk, points).save()
    columns = [field.column for field in Tick._meta.concrete_fields]
    later = {
        "seq": "n",
        "at": "at + (n - 30) * interval '1 second'",
        "received_at": "received_at + (n - 30) * interval '1 second'",
        "spot_cents": "spot_cents + round(2500 * sin(n / 900.0)) + mod(n * 7919, 97)",
    }
    chosen = ", ".join(later.get(name, f't."{name}"') for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO marketdata_tick ({', '.join(columns)}) SELECT {chosen}"
            " FROM (SELECT * FROM marketdata_tick WHERE seq = 30) t,"
            " generate_series(31, %s) n",
            [DAY_SECONDS],
        )
    BotSession.objects.filter(pk=session.pk).update(
        last_tick_seq=DAY_SECONDS, last_tick_at=market.from_open(DAY_SECONDS - 1)
    )


def _books(seq: int) -> tuple[int, ...]:
    """P&L that wanders by cents each second, so that it packs no better than a real one."""
    profit = round(20_000 * math.sin(seq / 1_500)) + seq * 7_919 % 483
    nlv = 2_500_000 + profit
    return nlv, 2_500_000, profit, 0, profit, 344, nlv - 200_000, 200_000
