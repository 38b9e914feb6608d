from __future__ import annotations

import json
import logging
import os
import subprocess

import pytest
from celery import current_app
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from django_celery_beat.schedulers import DatabaseScheduler

from config import logs
from config.middleware import ContentSecurityPolicy
from launcher.paths import ROOT, VENV_PYTHON
from launcher.supervisor import read_procfile, short_form

GOOD = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "k7#" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2,
    "ALLOWED_HOSTS": "zerohour.example",
    "DATABASE_URL": "postgres://zerohour@127.0.0.1:1/zerohour",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://zerohour:secret@mail.example:587",
}


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **{k: v for k, v in variables.items() if v}}
    return subprocess.run(
        [VENV_PYTHON, ROOT / "manage.py", *words],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def options_with(**variables: str) -> dict:
    code = (
        "import json, sys; from config.settings import base;"
        "json.dump(base.DATABASES['default']['OPTIONS'], sys.stdout)"
    )
    env = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        [VENV_PYTHON, "-c", code], env=env, cwd=ROOT, capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", "true", "DEBUG is on: unset it, because its pages show secrets to visitors."),
        ("SECRET_KEY", "", "SECRET_KEY is not set: give it 50 or more random characters."),
        ("SECRET_KEY", "short", "SECRET_KEY is too weak: give it 50 or more random characters."),
        ("SECRET_KEY", "a" * 60, "SECRET_KEY is too weak: give it 50 or more random characters."),
        (
            "ALLOWED_HOSTS",
            "",
            "ALLOWED_HOSTS is not set: list the host names the site answers to.",
        ),
        ("DATABASE_URL", "", "DATABASE_URL is not set: give the address of the service."),
        ("REDIS_URL", "", "REDIS_URL is not set: give the address of the service."),
        ("EMAIL_URL", "", "EMAIL_URL is not set: give the address of the service."),
    ],
)
def test_production_refuses_what_is_unfit_in_one_sentence(name, value, sentence):
    refused = manage("check", **{**GOOD, name: value})

    assert refused.returncode == 1
    assert refused.stderr.strip() == sentence


def test_production_refuses_the_key_that_everybody_knows():
    code = "from config.settings.base import DEVELOPMENT_SECRET_KEY as k; print(k)"
    known = subprocess.run(
        [VENV_PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()

    refused = manage("check", **{**GOOD, "SECRET_KEY": known})

    assert refused.stderr.startswith("SECRET_KEY is not set")


def test_production_passes_the_deployment_checks_without_a_warning():
    checked = manage("check", "--deploy", "--fail-level", "WARNING", **GOOD)

    assert checked.returncode == 0, checked.stderr


def test_in_production_a_scrape_of_this_host_is_not_sent_to_https():
    code = (
        "import django; django.setup(); from django.test import Client;"
        "ask = Client(HTTP_HOST='zerohour.example').get;"
        "print(ask('/metrics').status_code, ask('/login').status_code)"
    )
    env = {"PATH": os.environ["PATH"], **GOOD}
    done = subprocess.run(
        [VENV_PYTHON, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["200", "301"]


def test_long_running_processes_let_the_database_end_what_hangs():
    options = options_with(DB_TIMEOUTS="1")

    assert "-c idle_in_transaction_session_timeout=3s" in options["options"]
    assert "-c statement_timeout=30s" in options["options"]
    assert "-c lock_timeout=5s" in options["options"]
    assert options["keepalives_idle"] == 10


def test_commands_may_take_their_time():
    assert "options" not in options_with()


def test_connections_are_pooled_where_the_procfile_says_so():
    assert "pool" not in options_with()
    assert options_with(DB_POOL="1", DB_POOL_SIZE="5")["pool"]["max_size"] == 5
    for name in ("web", "worker", "beat"):
        assert "DB_POOL=1" in read_procfile()[name]


def test_pages_load_from_this_host_only(client):
    policy = client.get("/api/no-such-thing")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_admins_own_scripts_may_run():
    def answer(path: str) -> str:
        middleware = ContentSecurityPolicy(lambda _request: HttpResponse())
        return middleware(RequestFactory().get(path))["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in answer("/admin/")
    assert "unsafe" not in answer("/bots")


@pytest.mark.django_db(transaction=True)
def test_beat_sends_every_job_with_an_end_so_that_late_ones_are_dropped():
    current_app.loader.import_default_modules()

    entries = DatabaseScheduler(app=current_app).schedule

    for name, job in settings.CELERY_BEAT_SCHEDULE.items():
        assert entries[name].task == job["task"] in current_app.tasks
        assert entries[name].options["expires"] == max(4, job["schedule"])


def line_of(style: str, log) -> str:
    formatter = logs.configuration(level="INFO", style=style)["formatters"]["chosen"]
    kind = formatter.pop("()")
    return kind(**formatter).format(log)


def record(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("sessions.runner", logging.INFO, "", 1, "lost %s", ("x",), None)
    made.__dict__.update(extra)
    return made


def test_a_log_line_for_people_is_the_one_the_launcher_reads():
    line = line_of("text", record(session="7f"))

    assert short_form(line) == "lost x session='7f'"


def test_a_log_line_for_machines_is_json():
    line = json.loads(line_of("json", record(session="7f")))

    assert (line["event"], line["level"], line["session"]) == ("lost x", "info", "7f")
    assert line["logger"] == "sessions.runner"
