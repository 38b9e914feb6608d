from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import redis
import yaml

from common import presence, redis_client
from config.settings import base
from deploy import heard
from launcher.paths import ROOT, VENV_PYTHON
from launcher.supervisor import read_procfile

COMPOSE = ROOT / "compose.yaml"
PROGRAMS = VENV_PYTHON.parent
SCHEMA = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
LINTER = [PROGRAMS / "compose-lint", "check", "--fail-on", "low"]
LINTER += ["--config", ROOT / "deploy" / "compose-lint.yml"]


def status_of(checker: list, file: Path) -> int:
    done = subprocess.run([*checker, file], capture_output=True, check=False, timeout=60)
    return done.returncode


def services() -> dict:
    return yaml.safe_load(COMPOSE.read_text())["services"]


@pytest.mark.parametrize("checker", [SCHEMA, LINTER], ids=["schema", "linter"])
def test_the_compose_file_passes(checker):
    assert status_of(checker, COMPOSE) == 0


@pytest.mark.parametrize(
    ("checker", "right", "wrong"),
    [
        (SCHEMA, "    stop_signal: SIGINT", "    stop_signall: SIGINT"),
        (SCHEMA, "condition: service_healthy", "condition: service_well"),
        (LINTER, "  cap_drop: [ALL]", "  privileged: true"),
        (LINTER, '"${PRIVATE_ADDRESS:-127.0.0.1}:5432:5432"', '"5432:5432"'),
    ],
)
def test_a_mistake_in_it_is_found(checker, right, wrong, tmp_path):
    text = COMPOSE.read_text()
    assert right in text
    broken = tmp_path / "compose.yaml"
    broken.write_text(text.replace(right, wrong))

    assert status_of(checker, broken) != 0


def test_every_line_of_the_procfile_is_a_service():
    commands = {service["command"][-1] for service in services().values() if "build" in service}

    assert commands == {*read_procfile(), "migrate"}


def test_every_service_of_a_host_is_among_all_of_them():
    profiles = [service["profiles"] for service in services().values()]

    assert all(each[0] == "all" and len(each) == 2 for each in profiles)


def test_every_process_says_whether_it_is_alive():
    asked = {
        name: service["healthcheck"]["test"][-1]
        for name, service in services().items()
        if service["command"][0] == "deploy/process.sh" and name != "migrate"
    }

    assert asked == {name: name for name in read_procfile()}


def test_the_variables_of_the_compose_file_that_have_no_default_are_in_the_example():
    wanted = {part.partition(":?")[0] for part in COMPOSE.read_text().split("${") if ":?" in part}
    wanted = {name for name in wanted if name.isupper()}
    example = (ROOT / "deploy" / "env.example").read_text()

    assert wanted
    assert all(f"\n{name}=" in example for name in wanted)


def test_the_image_holds_every_app_and_no_secret():
    kept = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    apps = {name.partition(".")[0] for name in base.INSTALLED_APPS}
    ours = {name for name in apps if (ROOT / name).is_dir()}

    assert kept[0] == "**"
    assert {f"!{name}" for name in ours | {"config", "simengine", "deploy", "Procfile"}} <= {*kept}
    assert not {"!.env", "!secrets", "!.data"} & {*kept}


def test_the_image_takes_only_packages_with_known_hashes_and_runs_as_nobody_special():
    text = (ROOT / "deploy" / "Dockerfile").read_text()

    assert "--require-hashes" in text
    assert "--no-deps" in text
    assert text.index("\nUSER 10001") < text.index("\nCMD")


def process(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "deploy" / "process.sh", *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_container_becomes_a_line_of_the_procfile_with_the_secrets_of_its_file(tmp_path):
    (tmp_path / "Procfile").write_text(
        "web: A=1 sh -c 'echo $A $KEY ${HOST:-none}'\nwebcam: false\n"
    )
    secrets = tmp_path / "environment"
    secrets.write_text("KEY='two words'\n")

    done = process("web", cwd=tmp_path, ZEROHOUR_SECRETS=str(secrets))

    assert done.stdout == "1 two words none\n"


def test_a_name_that_is_not_in_the_procfile_is_refused(tmp_path):
    (tmp_path / "Procfile").write_text("web: true\n")

    done = process("wep", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (2, "wep: expected a name of the Procfile.\n")


def announce(*, kind: str, host: str) -> None:
    said = {"kind": kind, "host": host, "pid": 1, "started_at": time.time()}
    presence.say(json.dumps(said))


def test_a_process_that_announced_itself_from_this_host_is_alive():
    announce(kind="beat", host="host-a")

    assert heard.trouble("beat", "host-a") is None


def test_a_process_of_another_host_or_another_line_is_not_the_one_asked_for():
    announce(kind="beat", host="host-a")

    assert heard.trouble("beat", "host-b") == "beat on host-b was not heard for 15 s"
    assert heard.trouble("web", "host-a") == "web on host-a was not heard for 15 s"


def test_without_the_broker_nobody_is_heard(monkeypatch):
    nowhere = redis.Redis(port=1, socket_connect_timeout=1)
    monkeypatch.setattr(redis_client, "client", lambda: nowhere)

    assert "the broker does not answer" in (heard.trouble("web", "host-a") or "")
