import hashlib
import time
from datetime import date, timedelta
from itertools import islice

import numpy as np
import pytest

from common.times import to_ms
from marketdata import codec, greeks
from marketdata.feeds import surface
from marketdata.feeds.path import activity
from marketdata.feeds.synthetic import SyntheticFeed
from marketdata.tape.check import quote_counts
from simengine.market import MISSING
from tests.marketdata.factories import as_tuple

MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def day():
    feed = SyntheticFeed(42, MONDAY)
    return feed, list(feed.ticks(0))


def quotes_of(tick):
    return greeks.Quotes.of(
        tick.strikes_cents,
        tick.call_bid_cents,
        tick.call_ask_cents,
        tick.put_bid_cents,
        tick.put_ask_cents,
    )


def digest(ticks):
    return hashlib.sha256(b"".join(codec.encode(tick) for tick in ticks)).hexdigest()


def test_a_day_has_a_tick_every_second_from_the_open_to_the_close(day):
    feed, ticks = day

    assert len(ticks) == 23_401
    assert [tick.seq for tick in ticks] == list(range(1, 23_402))
    assert (ticks[0].at_ms, ticks[-1].at_ms) == (to_ms(feed.open_at), to_ms(feed.close_at))
    assert len(ticks[0].strikes_cents) == 161


def test_a_half_day_ends_at_one():
    feed = SyntheticFeed(42, date(2026, 11, 27))

    assert feed.seconds == 3.5 * 3600


def test_a_day_the_exchange_is_closed_is_refused():
    with pytest.raises(ValueError, match="closed on 2026-11-26"):
        SyntheticFeed(42, date(2026, 11, 26))


def test_the_same_seed_and_date_are_the_same_bytes(day):
    _, ticks = day

    again = SyntheticFeed(42, MONDAY)

    for start in (0, 11_000, 22_800):
        assert digest(islice(again.ticks(start), 1_200)) == digest(ticks[start : start + 1_200])
    assert again.settlement() == day[0].settlement()


@pytest.mark.parametrize(
    "other",
    [
        SyntheticFeed(43, MONDAY),
        SyntheticFeed(42, MONDAY + timedelta(days=1)),
        SyntheticFeed(42, MONDAY, previous_close_cents=610_000),
        SyntheticFeed(42, MONDAY, previous_vix_hundredths=3_000),
        SyntheticFeed(42, MONDAY, scenario="selloff"),
    ],
)
def test_another_seed_date_or_past_is_another_day(day, other):
    first = next(iter(other.ticks(0)))

    assert as_tuple(first) != as_tuple(day[1][0])


@pytest.mark.parametrize("after_seq", [0, 1, 599, 600, 601, 23_399, 23_400, 23_401])
def test_any_place_of_a_day_is_reached_alone(day, after_seq):
    _, ticks = day

    following = list(zip(range(3), SyntheticFeed(42, MONDAY).ticks(after_seq), strict=False))

    expected = ticks[after_seq : after_seq + 3]
    assert [as_tuple(tick) for _, tick in following] == [as_tuple(tick) for tick in expected]


def test_a_day_is_made_in_seconds():
    started = time.process_time()
    list(SyntheticFeed(7, MONDAY).ticks(0))

    assert time.process_time() - started < 15  # about 2 on an idle machine


def test_the_quotes_are_clean(day):
    _, ticks = day

    for tick in ticks[::97]:
        counts = quote_counts(tick)
        assert (counts["crossed"], counts["one_sided"], counts["off_grid"]) == (0, 0, 0)
        for bids, asks, deltas in (
            (tick.call_bid_cents, tick.call_ask_cents, tick.call_delta_e4),
            (tick.put_bid_cents, tick.put_ask_cents, tick.put_delta_e4),
        ):
            for bid, ask, delta in zip(bids, asks, deltas, strict=True):
                quoted = bid >= 0 and ask >= 5 and 0 <= delta <= 10_000
                assert quoted or (bid, ask, delta) == (MISSING, MISSING, MISSING)


def test_a_strikes_call_and_put_delta_add_up_to_one(day):
    _, ticks = day

    for tick in ticks[600::997]:
        assert all(
            c + p == 10_000 for c, p in zip(tick.call_delta_e4, tick.put_delta_e4, strict=True)
        )


def test_parity_holds_within_a_few_points(day):
    _, ticks = day

    offsets = [
        abs(greeks.parity_forward(quotes_of(t), t.spot_cents) - t.spot_cents) for t in ticks[60::97]
    ]

    assert np.median(offsets) < 120
    assert max(offsets) < 800


def test_the_expected_move_is_the_straddle_and_decays_to_nothing(day):
    _, ticks = day

    for tick in (ticks[0], ticks[12_600], ticks[-1]):
        assert tick.expected_move_cents == greeks.expected_move_cents(
            quotes_of(tick), tick.spot_cents
        )
    assert ticks[0].expected_move_cents > 2 * ticks[20_000].expected_move_cents
    assert ticks[-1].expected_move_cents < 500


def test_the_settlement_is_near_the_last_spot_and_rarely_it():
    feeds = [SyntheticFeed(seed, MONDAY) for seed in range(12)]

    offsets = [feed.settlement()[0] - int(feed._path.cents[-1]) for feed in feeds]

    assert max(abs(offset) for offset in offsets) <= 240
    assert len(set(offsets)) > 6
    assert {feed.settlement()[1] for feed in feeds} == {"official"}


def test_the_next_day_opens_near_the_last_close():
    for seed in range(10):
        first = next(iter(SyntheticFeed(seed, MONDAY, previous_close_cents=612_345).ticks(0)))
        assert 0.96 < first.spot_cents / 612_345 < 1.04


def test_a_thirty_delta_put_credit_spread_pays_a_sensible_credit(day):
    _, ticks = day

    for second in (900, 3_600, 9_000):
        tick = ticks[second]
        short = min(range(161), key=lambda row: abs(tick.put_delta_e4[row] - 3_000))
        credit = tick.put_bid_cents[short] - tick.put_ask_cents[short - 5]
        assert 100 < credit < 800  # of 25 points


def test_the_day_is_liveliest_after_the_open_and_livelier_again_at_the_close():
    curve = activity(23_400)

    assert 0.85 < curve.mean() < 1.15
    assert curve[:300].mean() > 3 > 1 > curve[12_000:18_000].mean()
    assert curve[-300:].mean() > 1.5 * curve[12_000:18_000].mean()


def test_realised_volatility_is_that_of_the_real_days():
    deviations = []
    for seed in range(30):
        cents = SyntheticFeed(seed, MONDAY)._path.cents[::60]
        deviations.append(100 * np.sqrt((np.diff(np.log(cents)) ** 2).sum()))

    assert 0.35 < np.mean(deviations) < 0.7  # 0.51 on 24 days of 2026


def test_the_smile_is_that_of_the_real_chain():
    measured = {-4.5: 2.08, -3.0: 1.65, -1.6: 1.28, 0.0: 1.0, 1.5: 1.06, 3.0: 1.42, 5.0: 2.01}

    for z, ratio in measured.items():
        assert surface.smile(z) == pytest.approx(ratio, abs=0.04)
