"""`bin/manage serve_metrics`: the workers of a host that has no web process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parent.parent.parent
COUNT_ONE = (
    "import django; django.setup(); from common import metrics;"
    " metrics.HTTP_REQUESTS.labels('GET', 'here', '200').inc()"
)


def test_without_the_workers_directory_it_says_so():
    with pytest.raises(CommandError, match="PROMETHEUS_MULTIPROC_DIR is not set"):
        call_command("serve_metrics")


def test_it_serves_what_other_processes_counted(tmp_path):
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    subprocess.run([sys.executable, "-c", COUNT_ONE], cwd=ROOT, env=env, check=True)
    command = [sys.executable, "-u", "manage.py", "serve_metrics", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as exporter:
        address = exporter.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=20) as answer:
            page = answer.read().decode()
        exporter.send_signal(signal.SIGTERM)
        status = exporter.wait(timeout=20)

    assert 'zerohour_http_requests_total{method="GET",route="here",status="200"} 1.0' in page
    assert "zerohour_sessions{" not in page
    assert status == 0
