"""The alert rules, the dashboard and the runbook: they parse, and name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "operations"


def alerts() -> list[dict]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict:
    return json.loads((FOLDER / "grafana-dashboard.json").read_text())


def expressions() -> list[str]:
    panels = dashboard()["panels"]
    drawn = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [*(rule["expr"] for rule in alerts()), *drawn]


def test_every_alert_says_what_how_bad_and_where_to_read_on():
    rules = alerts()

    assert len({rule["alert"] for rule in rules}) == len(rules) > 20
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket", "info"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"runbook.md#{rule['alert'].lower()}"


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert():
    text = (FOLDER / "runbook.md").read_text()
    sections = re.findall(r"^## (\w+)\n\n(.+?)(?=\n## |\Z)", text, re.M | re.S)

    assert {title for title, _ in sections} == {rule["alert"] for rule in alerts()}
    assert all(len(body) > 100 for _, body in sections)


def test_brackets_and_quotes_of_every_expression_close():
    for expression in expressions():
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), expression
        assert expression.count('"') % 2 == 0, expression


def test_no_two_panels_lie_on_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
