"""Bodies: unknown fields, wrong types, bounds, and decimals in one form."""

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probes")]


@pytest.fixture
def echo(anonymous):
    def send(**fields):
        return anonymous.post("/api/probe/echo", {"name": "x", **fields})

    return send


@pytest.mark.parametrize("body", ["[]", '"text"', "3", "null", '[{"name": "x"}]', "true"])
def test_a_body_that_is_no_object_is_refused(anonymous, body):
    answer = anonymous.post("/api/probe/echo", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"body": ["must be a JSON object"]}


def test_no_body_at_all_misses_the_required_fields(anonymous):
    answer = anonymous.post("/api/probe/echo")

    assert answer.json()["fields"] == {"name": ["is required"]}


def test_an_unknown_field_is_named_with_those_that_are_known(echo):
    answer = echo(nmae="y")

    assert answer.status_code == 400
    (reason,) = answer.json()["fields"]["nmae"]
    assert reason.startswith("unknown field; known are name, price, fee")
    assert "number" not in reason


def test_a_read_only_field_is_unknown_too(echo):
    answer = echo(number=1)

    assert list(answer.json()["fields"]) == ["number"]


def test_every_complaint_comes_at_once_under_its_dotted_path(echo):
    legs = [{"side": "put"}, {"side": "both", "price": 1}]
    answer = echo(legs=legs, leg={"side": 1}, flag=1, odd=1)

    fields = answer.json()["fields"]
    assert set(fields) == {"legs.1.side", "legs.1.price", "leg.side", "flag", "odd"}
    assert answer.json()["message"].endswith("(4 more fields below).")


def test_a_nested_value_that_is_no_object_is_told_so_under_its_own_name(echo):
    answer = echo(leg=[1])

    assert answer.json()["fields"] == {"leg": ["must be a JSON object"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", None),
        ("name", ["x"]),
        ("name", "longer"),
        ("name", ""),
        ("count", "five"),
        ("count", "5.5"),
        ("count", "0"),
        ("count", "10"),
        ("count", "1" * 2000),
        ("flag", "true"),
        ("flag", 1),
        ("flag", None),
        ("price", True),
        ("price", None),
        ("price", [1]),
        ("price", "1e3"),
        ("price", "1_000"),
        ("price", "1,000"),
        ("price", "٣"),
        ("price", "NaN"),
        ("price", ""),
        ("price", "0.001"),
        ("price", "100.01"),
        ("price", "-1.01"),
        ("at", "yesterday"),
        ("at", 1778164201),
        ("at", "0001-01-01T00:00:00+23:59"),
        ("at", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_a_wrong_type_or_a_value_beside_its_bounds_is_refused_by_name(echo, field, value):
    answer = echo(**{field: value})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
    assert list(answer.json()["fields"]) == [field]
    assert answer.json()["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("field", "wrong", "rule"),
    [
        ("name", [None, 5, "", "longer"], "must be a string of 1 to 5 characters"),
        ("count", [None, "", "x", "0", "10"], "must be a whole number from 1 to 9"),
        ("flag", [None, "true", 1], "must be true or false"),
        ("leg", [{"side": wrong} for wrong in (None, 1, "both")], "must be one of put, call"),
        ("at", [None, "noon", 5], 'must be a time such as "2026-05-07T14:30:00Z"'),
        (
            "price",
            [None, True, "x", "1e3", "0.001", "100.01", "-1.01"],
            'must be dollars and whole cents, like "12.50", from -1 to 100',
        ),
    ],
)
def test_whatever_is_wrong_the_complaint_says_what_is_allowed(echo, field, wrong, rule):
    answers = [echo(**{field: value}) for value in wrong]

    assert {reason for each in answers for (reason,) in each.json()["fields"].values()} == {rule}


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("price", "100.00", "100"),
        ("price", 99.5, "99.50"),
        ("price", -1, "-1"),
        ("price", " +1.4 ", "1.40"),
        ("price", ".05", "0.05"),
        ("fee", 5, "5.00"),
        ("fee", "1.7", "1.70"),
        ("count", "9", 9),
        ("flag", False, False),
        ("at", "2026-05-07T10:30:01.5-04:00", "2026-05-07T14:30:01.500Z"),
        ("at", "2026-05-07T16:30:01 02:00", "2026-05-07T14:30:01.000Z"),
        ("at", " 2026-05-07 14:30:01Z ", "2026-05-07T14:30:01.000Z"),
        ("at", "2026-05-07 14:30", "2026-05-07T14:30:00.000Z"),
        ("at", "2026-05-07", "2026-05-07T00:00:00.000Z"),
        ("at", "20260507T143001Z", "2026-05-07T14:30:01.000Z"),
    ],
)
def test_every_sane_form_is_read_and_one_form_is_written(echo, field, value, written):
    answer = echo(**{field: value})

    assert answer.status_code == 200, answer.json()
    assert answer.json()[field] == written
