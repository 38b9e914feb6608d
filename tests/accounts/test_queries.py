from accounts.queries import fee_schedule_object


def test_a_fee_schedule_is_written_with_two_decimals_always():
    written = fee_schedule_object(open_cents=0, close_cents=72, exercise_cents=500)

    assert written == {"open": "0.00", "close": "0.72", "exercise": "5.00"}
