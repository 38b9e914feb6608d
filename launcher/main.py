"""From `bin/NAME args` to the command: set up, continue under the environment's Python, run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from launcher import bootstrap, client, compile_requirements, disk, drill, manage, test, up
from launcher.console import Refusal, progress
from launcher.paths import ROOT, VENV, VENV_PYTHON
from launcher.signals import Stopped

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "up": up.run,
    "manage": manage.run,
    "test": test.run,
    "drill": drill.run,
    "zerohour": client.run,
    "compile-requirements": compile_requirements.run,
}


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit status. Expected trouble becomes one sentence on stderr."""
    try:
        return _dispatch(argv)
    except Refusal as refusal:
        progress(str(refusal))
        return refusal.exit_status
    except (Stopped, KeyboardInterrupt) as stopped:
        return 128 + (stopped.signum if isinstance(stopped, Stopped) else 2)
    except OSError as error:
        if not disk.is_full(error):
            raise
        progress(f"The disk is full ({error.filename or ROOT}): free about 1 GB and start again.")
        return 1


def _dispatch(argv: Sequence[str]) -> int:
    name, *arguments = argv
    if name not in COMMANDS:
        raise Refusal(f"Unknown command {name}: known are {', '.join(COMMANDS)}.")
    if not _asks_for_help(name, arguments):
        bootstrap.set_up(bootstrap.PACKAGE_SETS[name])
        if os.path.realpath(sys.prefix) != os.path.realpath(VENV):
            os.execv(VENV_PYTHON, [str(VENV_PYTHON), str(ROOT / "launcher"), *argv])
    return COMMANDS[name](arguments)


def _asks_for_help(name: str, arguments: Sequence[str]) -> bool:
    return name == "up" and bool({"-h", "--help"} & set(arguments))
