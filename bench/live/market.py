"""The market process with a chain of another width: `python -m bench.live.market QUOTES …`.

The rest of the line are run_market's own options. Strikes lie on both sides of the one at the
money, so there are 2 quotes more than a multiple of 4.
"""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    django.setup()
    # After setup: these import models.
    from django.core.management import call_command  # noqa: PLC0415

    from marketdata.feeds import synthetic  # noqa: PLC0415

    synthetic.STRIKES_EACH_WAY = int(sys.argv[1]) // 4
    call_command("run_market", *sys.argv[2:])


if __name__ == "__main__":
    main()
