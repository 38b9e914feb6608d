"""bin/up: services, migrations, demo, then the Procfile's processes until someone says stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher import processes, tapes
from launcher.console import Refusal, progress, step
from launcher.data_dir import DataDir, Runtime
from launcher.disk import require_space
from launcher.manage import manage_command, run_manage
from launcher.paths import ROOT
from launcher.ports import LOOPBACK, is_free
from launcher.services import Services
from launcher.signals import Stopped, stoppable
from launcher.supervisor import Supervisor, read_procfile

READY_PATIENCE_SECONDS = 90
SPACE_NEEDED_BYTES = 300_000_000


def default_data_dir() -> Path:
    return Path(os.environ.get("ZEROHOUR_DATA") or ROOT / ".data")


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port


def _speed(text: str) -> str:
    if not 0 < float(text) <= 100_000:
        raise ValueError(text)
    return text


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Run the whole of Zerohour on this machine: market, workers, web.",
        epilog="DATABASE_URL and REDIS_URL, where set, take the place of the embedded services.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=8000, help="of the dashboard and the API (8000)")
    add("--data", type=Path, default=default_data_dir(), metavar="DIR", help="where all is kept")
    add("--speed", type=_speed, default="30", metavar="N", help="market seconds a second (30)")
    add("--tape", type=Path, metavar="FILE", help="replay this recorded day")
    add("--reset", action="store_true", help="delete what the data directory holds, first")
    add("--no-demo", dest="has_demo", action="store_false", help="start with an empty system")
    add("--until-close", action="store_true", help="end when the day's sessions are settled")
    return parser.parse_args(arguments)


def run(arguments: Sequence[str]) -> int:
    """Returns 0 after a stop that was asked for; with --until-close, what that command returns."""
    options = parse(arguments)
    if options.tape is not None and not options.tape.is_file():
        raise Refusal(f"{options.tape}: expected a file, the tape to replay.", exit_status=2)
    data_dir = DataDir(options.data)
    if options.reset and data_dir.path.exists():
        _reset(data_dir)
    data_dir.open()
    with data_dir.locked("up"), stoppable():
        _require_port(options.port)
        require_space(data_dir.path, needed_bytes=SPACE_NEEDED_BYTES)
        try:
            return _run_services(options, data_dir)
        except Stopped as stopped:
            progress(f"Stopped ({stopped}).")
            return 128 + stopped.signum if options.until_close else 0


def _reset(data_dir: DataDir) -> None:
    data_dir.require_mark()
    with data_dir.locked("up"):
        gone = data_dir.reset()
    progress(f"Deleted from {data_dir.path}: {', '.join(gone) or 'nothing'}.")


def _require_port(port: int) -> None:
    try:
        is_ours = is_free(port)
    except PermissionError:
        raise Refusal(f"Port {port} needs privileges: choose one above 1023 with --port.") from None
    if not is_ours:
        raise Refusal(
            f"Port {port} is taken: stop the program that listens there, or choose another --port."
        )


def _run_services(options: argparse.Namespace, data_dir: DataDir) -> int:
    leftovers = data_dir.register.stop_leftovers()
    if leftovers:
        progress(f"Stopped what an earlier start left running: {', '.join(leftovers)}.")
    with Services(data_dir) as services:
        env = services.env | process_environment(options)
        env["PROMETHEUS_MULTIPROC_DIR"] = str(data_dir.fresh_metrics())
        if options.tape is not None:
            env["ZEROHOUR_TAPE"] = tapes.packed(options.tape, env)
        return _run_processes(options, services, env)


def process_environment(options: argparse.Namespace) -> dict[str, str]:
    return {
        "PORT": str(options.port),
        "WEB_HOST": LOOPBACK,
        "ZEROHOUR_SPEED": options.speed,
    }


def _run_processes(options: argparse.Namespace, services: Services, env: Mapping[str, str]) -> int:
    data_dir = services.data_dir
    base_url = f"http://{LOOPBACK}:{options.port}"
    with step("Preparing the database"):
        run_manage(["migrate", "--no-input"], env)
    demo = None
    if options.has_demo:
        with step("Preparing the demo"):
            demo = json.loads(run_manage(["seed_demo"], env).splitlines()[-1])
    supervisor = Supervisor(data_dir, env, watched=services.processes())
    try:
        lines = read_procfile()
        progress(f"  Starting {', '.join(lines)} …")
        for name, command in lines.items():
            supervisor.start(name, command)
        _wait_until_ready(supervisor, base_url)
        data_dir.write_runtime(_runtime(base_url, env))
        print(banner(base_url, demo, options, data_dir), flush=True)
        if options.until_close:
            return _until_close(supervisor, data_dir, env)
        return _report_end(supervisor.wait_for_an_end(), data_dir)
    finally:
        progress("Stopping …")
        data_dir.clear_runtime()
        supervisor.stop()


def _runtime(base_url: str, env: Mapping[str, str]) -> Runtime:
    shared = {name: env[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    pid = os.getpid()
    return Runtime(pid, processes.birth(pid) or "", base_url, shared)


def _wait_until_ready(supervisor: Supervisor, base_url: str) -> None:
    deadline = time.monotonic() + READY_PATIENCE_SECONDS
    while not answers(f"{base_url}/health"):
        ended = supervisor.ended()
        if ended:
            raise Refusal(f"{_names(ended)} ended while starting; the reason is above.")
        if time.monotonic() > deadline:
            raise Refusal(f"The web server did not answer within {READY_PATIENCE_SECONDS} s.")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _until_close(supervisor: Supervisor, data_dir: DataDir, env: Mapping[str, str]) -> int:
    """Wait for the command of that name, which prints the day's table; its status is ours."""
    watcher = processes.spawn(
        manage_command(["until_close"]), log=None, stop_signal=signal.SIGTERM, env=env, cwd=ROOT
    )
    data_dir.register.add("until_close", watcher.pid, stop_signal=signal.SIGTERM)
    try:
        while (status := watcher.poll()) is None:
            ended = supervisor.ended()
            if ended:
                return _report_end(ended, data_dir)
            time.sleep(0.1)
        return status
    finally:
        processes.stop(watcher, signal.SIGTERM, patience_seconds=5)


def _report_end(ended: Sequence[tuple[str, int]], data_dir: DataDir) -> int:
    progress(f"{_names(ended)} ended unexpectedly, so all stops; {data_dir.logs} has the reason.")
    return 1


def _names(ended: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} (status {status})" for name, status in ended)


def banner(
    base_url: str, demo: Mapping[str, str] | None, options: argparse.Namespace, data_dir: DataDir
) -> str:
    """What a newcomer needs: where to look, who to be, and a line that works when pasted."""
    source = f"replays {options.tape.name}" if options.tape else "makes its own days"
    rows = [("Dashboard", f"{base_url}/"), ("API", f"{base_url}/api (described at /api/docs)")]
    if demo is not None:
        curl = f"curl -s -H 'Authorization: {demo['token']}' {base_url}/api/bots"
        rows += [("Sign in", f"{demo['email']}  password  {demo['password']}")]
        rows += [("Token", demo["token"]), ("Try", curl)]
    rows += [("Market", f"{source}, {options.speed} market seconds a second")]
    rows += [("Data", f"{data_dir.path} (logs in logs/)")]
    lines = [f"  {title:<10} {text}" for title, text in rows]
    return "\n".join(["", "Zerohour is running; Ctrl-C stops it.", "", *lines, ""])
