"""python -m tests.simulator [--seed S] [--days N]: simulated days on a database of its own.

A failing day is printed with its seed; `--seed S` alone plays exactly that day again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first day")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--no-fence", action="store_true", help="the control: some day must fail")
    parser.add_argument("--verbose", action="store_true", help="one line a day")
    arguments = parser.parse_args()

    import django  # noqa: PLC0415 - after the settings are named

    django.setup()
    from tests.simulator import play  # noqa: PLC0415

    with play.own_database(), play.worlds(fenced=not arguments.no_fence) as player:
        began = time.monotonic()
        for seed in range(arguments.seed, arguments.seed + arguments.days):
            player.play(seed)
            if arguments.verbose:
                sys.stdout.write(f"{player.told(seed)}\n")
        sys.stdout.write(f"{player.summary(time.monotonic() - began)}\n")
    return 1 if player.failed else 0


if __name__ == "__main__":
    sys.exit(main())
