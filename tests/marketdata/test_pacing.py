import time as wall_time
from threading import Timer

import pytest

from marketdata.pacing import MarketTime, SystemWall


def test_market_time_runs_at_its_speed():
    time = MarketTime(at_ms=1_000, speed=30.0, wall=100.0)

    assert time.read(100.0) == 1_000
    assert time.read(100.5) == 16_000
    assert time.seconds_until(31_000, 100.5) == pytest.approx(0.5)
    assert time.seconds_until(500, 100.5) == 0


def test_a_hole_of_more_than_a_minute_is_crossed_in_a_second():
    time = MarketTime(at_ms=0, speed=1.0, wall=0.0)

    time.cross_hole(0, 3_600_000, 0.0)

    assert time.read(0.5) == 1_800_000
    assert time.seconds_until(3_600_000, 0.5) == pytest.approx(0.5)
    assert time.read(1.0) == 3_600_000
    assert time.read(3.0) == 3_602_000  # and on at its own speed


def test_a_crossing_is_not_started_over_while_it_goes_on():
    time = MarketTime(at_ms=0, speed=1.0, wall=0.0)
    time.cross_hole(0, 3_600_000, 0.0)

    time.cross_hole(0, 3_600_000, 0.5)

    assert time.read(1.0) == 3_600_000


@pytest.mark.parametrize(("speed", "hole_ms"), [(1.0, 60_000), (100.0, 90_000)])
def test_a_short_hole_is_waited_for(speed, hole_ms):
    time = MarketTime(at_ms=0, speed=speed, wall=0.0)

    time.cross_hole(0, hole_ms, 0.0)

    assert time.read(0.5) == 500 * speed


def test_a_market_that_cannot_keep_up_slips():
    time = MarketTime(at_ms=0, speed=1_000.0, wall=0.0)

    time.slip_to(5_000, 1.0)

    assert time.read(1.0) == 5_000
    assert time.read(1.001) == pytest.approx(6_000, abs=1)


def test_waiting_ends_early_when_asked_to_stop():
    wall = SystemWall()
    Timer(0.05, wall.stop).start()

    started = wall_time.monotonic()
    wall.wait(30)

    assert wall.is_stopping
    assert wall_time.monotonic() - started < 10


def test_a_new_speed_holds_from_now_on():
    time = MarketTime(at_ms=0, speed=10.0, wall=0.0)

    time.set_speed(100.0, 1.0)

    assert time.read(1.0) == 10_000
    assert time.read(2.0) == 110_000
    assert time.seconds_until(210_000, 2.0) == pytest.approx(1.0)


def test_a_pause_ends_where_it_began():
    time = MarketTime(at_ms=0, speed=10.0, wall=0.0)

    time.pause(5_000)
    stood = [time.read(wall) for wall in (1.0, 50.0)]
    time.resume(100.0)

    assert stood == [5_000, 5_000]
    assert time.read(101.0) == 15_000
