"""The alert rules, the dashboard and the runbook: they parse, and name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import promql_parser as promql
import yaml
from django.conf import settings

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


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Every series that an expression asks for. Raises ValueError where it is no PromQL."""
    found: list[promql.VectorSelector] = []

    def look(node: object) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        elif isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)

    promql.walk(promql.parse(expression), look)
    return found


def test_every_expression_and_every_wait_is_what_prometheus_reads():
    for expression in expressions():
        assert selectors(expression), expression
    for rule in alerts():
        promql.parse_duration(rule.get("for", "1s"))


def test_every_scheduled_job_stands_in_the_table_of_what_runs_by_itself():
    text = (FOLDER / "README.md").read_text()

    tasks = {job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {task for task in tasks if f"`{task}`" not in text} == set()


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
