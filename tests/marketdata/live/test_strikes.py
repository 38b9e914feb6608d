from __future__ import annotations

from random import Random

from marketdata.feeds.live.backoff import Backoff
from marketdata.feeds.live.strikes import EACH_SIDE, MOST, around, followed
from tests.marketdata.live.fakes import STRIKES


def test_the_strikes_around_spot_are_the_nearest_and_as_many_on_either_side():
    chosen = sorted(around(STRIKES, 595_130))

    assert len(chosen) == 2 * EACH_SIDE + 1
    assert (chosen[0], chosen[EACH_SIDE], chosen[-1]) == (555_000, 595_000, 635_000)


def test_at_the_edge_of_the_chain_there_are_fewer():
    assert min(around(STRIKES, 1)) == STRIKES[0]
    assert len(around(STRIKES, 1)) == EACH_SIDE + 1
    assert around([], 595_000) == set()


def test_strikes_follow_spot_and_the_old_ones_stay_for_whoever_holds_them():
    before = around(STRIKES, 595_000)

    after = followed(STRIKES, 600_000, before)

    assert before <= after
    assert around(STRIKES, 600_000) <= after


def test_of_too_many_strikes_the_farthest_go():
    chain = list(range(500_000, 700_000, 500))
    held = around(chain, 540_000)

    after = followed(chain, 640_000, held | around(chain, 590_000))

    assert len(after) == MOST
    assert around(chain, 640_000) <= after
    assert min(held) not in after


def test_waits_double_up_to_a_minute_and_are_shortened_at_random():
    backoff = Backoff(Random(1))

    waits = [backoff.next_seconds() for _ in range(40)]

    for tries, seconds in enumerate(waits):
        longest = min(60.0, 2.0**tries)
        assert longest / 2 <= seconds <= longest
    assert len(set(waits[10:])) == 30  # no two clients in step


def test_after_a_good_connection_it_starts_over():
    backoff = Backoff(Random(1))
    for _ in range(5):
        backoff.next_seconds()

    backoff.reset()

    assert backoff.next_seconds() <= 1.0
