"""When a program that keeps losing its worker is left alone, and for how long."""

from __future__ import annotations

from strategies.runtime.patience import LOSSES, PAUSE_MS, Patience

NOW_MS = 1_778_162_400_000


def test_losses_in_a_row_pause_the_program_for_a_minute():
    patience = Patience()
    for _ in range(LOSSES):
        assert patience.pause_ms(NOW_MS) == 0
        patience.lost(NOW_MS)

    assert patience.pause_ms(NOW_MS) == PAUSE_MS
    assert patience.pause_ms(NOW_MS + PAUSE_MS - 1) == 1
    assert patience.pause_ms(NOW_MS + PAUSE_MS) == 0


def test_a_call_that_succeeds_starts_the_count_again():
    patience = Patience()
    for _ in range(10):
        patience.lost(NOW_MS)
        patience.lost(NOW_MS)
        patience.served()

    assert patience.pause_ms(NOW_MS) == 0


def test_the_first_loss_after_a_pause_pauses_again():
    patience = Patience()
    for _ in range(LOSSES):
        patience.lost(NOW_MS)

    patience.lost(NOW_MS + PAUSE_MS)

    assert patience.pause_ms(NOW_MS + PAUSE_MS) == PAUSE_MS
