"""The examples and the tables of docs/bots.md hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bots import inputs
from simengine.policy import Policy

GUIDE = (Path(__file__).parents[2] / "docs" / "bots.md").read_text("utf-8")
BODIES = [json.loads(text) for text in re.findall(r"-d '(\{.*?\n\})'", GUIDE, re.DOTALL)]


@pytest.mark.parametrize("body", BODIES)
def test_every_body_of_the_guide_is_accepted(body):
    shape = inputs.CreateBotInput if "strategy_id" in body else inputs.UpdateBotInput

    assert inputs.read_body(shape, body)


def test_the_guide_shows_a_create_and_an_edit():
    assert len(BODIES) == 2


@pytest.mark.parametrize("field", inputs.POLICY_FIELDS)
def test_the_guide_tells_every_policy_field_with_its_default(field):
    rows = re.findall(rf"^\| `{field}` \|[^|]*\| (.+?) \|", GUIDE, re.MULTILINE)

    if field == "reprice":
        assert "(`reprice`)" in GUIDE
    else:
        assert [json.loads(row.strip("`")) for row in rows] == [Policy().as_json()[field]]
