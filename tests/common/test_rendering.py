"""What clients read is what the framework would have written, byte for byte."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from common.rendering import Json


class Kind(StrEnum):
    ONE = "one"


AT = datetime(2026, 5, 7, 14, 30, 1, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"a": [1, -1, 2**53, True, None, "x"]},
        {2: "a", None: "b", True: "c"},
        {"at": AT, "date": AT.date(), "time": time(9, 30), "for": timedelta(seconds=90)},
        [Decimal("0.0200"), UUID(int=7), Kind.ONE, date(2026, 5, 7), (1, 2)],
        [gettext_lazy("Not found."), ErrorDetail("no", code="invalid")],
        ReturnDict({"z": ReturnList([{"a": 1}], serializer=None)}, serializer=None),
        ['é ✓ \U0001f600 \0 \n " \\ / </script>'],
    ],
)
def test_every_kind_of_value_is_written_as_the_framework_does(data):
    assert Json().render(data) == JSONRenderer().render(data)


# Lone surrogates cannot be written in UTF-8 by either; U+2028 and U+2029 need no escape in JSON.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2028\u2029"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(VALUES.filter(lambda value: value is not None))
def test_any_body_is_written_as_the_framework_does(value):
    assert Json().render(value) == JSONRenderer().render(value)
