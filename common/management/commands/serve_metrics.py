"""`bin/manage serve_metrics`: what the processes of a host count, where no web process runs."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from common import metrics


class Command(BaseCommand):
    help = "Serve /metrics for the workers of this host; a host with a web process needs it not."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=9464)
        parser.add_argument("--host", default="127.0.0.1", help="where it listens (127.0.0.1)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not metrics.MULTIPROCESS_DIR:
            raise CommandError(
                "PROMETHEUS_MULTIPROC_DIR is not set: name the directory the workers write to."
            )
        stopped = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        server, thread = start_http_server(
            options["port"], addr=options["host"], registry=metrics.of_this_host()
        )
        self.stdout.write(f"http://{options['host']}:{server.server_port}/metrics")
        stopped.wait()
        server.shutdown()
        thread.join()
