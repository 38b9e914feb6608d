"""The form as JSON Schema, and the templates."""

from __future__ import annotations

import pytest

from strategies.form import InvalidForm, normalise
from strategies.templates import TEMPLATES

PROGRAM = "def on_tick(ctx):\n    ctx.state = 1\n"


def test_the_schema_of_the_form_is_open_to_all(anonymous):
    schema = anonymous.get("/api/strategies/form-schema").json()

    assert schema["required"] == ["legs", "entry"]
    assert schema["additionalProperties"] is False


def test_the_schema_accepts_what_the_form_accepts(anonymous, form):
    jsonschema = pytest.importorskip("jsonschema")
    schema = anonymous.get("/api/strategies/form-schema").json()

    for config in (form, normalise(form), *(template.config for template in TEMPLATES)):
        jsonschema.validate(config, schema)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda form: form["legs"][0].update(qty=101),
        lambda form: form["legs"][0].update(size=1),
        lambda form: form["entry"].update(times=["16:00"]),
        lambda form: form["entry"].update(times=["09:29"]),
        lambda form: form["entry"]["filters"].update(vix_max=500),
        lambda form: form.update(sizing={"contracts": 1, "risk_pct": 1}),
        lambda form: form["exit"].update(trailing_stop_pct=0),
        lambda form: form["exit"].update(touch_short_strike="yes"),
        lambda form: form.pop("legs"),
    ],
)
def test_the_schema_refuses_what_the_form_refuses(anonymous, form, spoil):
    jsonschema = pytest.importorskip("jsonschema")
    schema = anonymous.get("/api/strategies/form-schema").json()
    spoil(form)

    with pytest.raises(InvalidForm):
        normalise(form)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(form, schema)


def test_the_templates_are_ready_to_be_saved(anonymous, owner):
    templates = anonymous.get("/api/strategies/templates").json()

    assert {"iron-condor", "iron-fly", "put-credit-spread", "long-call"} <= {
        template["id"] for template in templates
    }
    for template in templates:
        body = {"name": template["name"], "config": template["config"]}
        assert owner.post("/api/strategies", body).status_code == 201
