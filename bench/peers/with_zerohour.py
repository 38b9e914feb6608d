"""Our own `simulate` on the day: policy, sandboxed program, rows and roll-up as in production."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import django

from bench.peers import day

FORM = {
    "legs": [
        {
            "direction": "sell",
            "type": "put",
            "qty": 1,
            "strike": {"method": "points_otm", "value": day.POINTS_OTM},
        },
        {
            "direction": "buy",
            "type": "put",
            "qty": 1,
            "strike": {"method": "offset", "value": -day.WIDTH_POINTS, "from": 0},
        },
    ],
    "entry": {"times": [day.ENTRY]},
    "exit": {
        "profit_target_pct": day.TARGET_PCT,
        "stop_loss_pct": day.STOP_PCT,
        "time": day.EXIT,
    },
}
POLICY = {"reprice": {"opening": {"enabled": False}}, "max_daily_loss_pct": "0.5"}


def contestant() -> Callable[[str], tuple[float, int, int, str]]:
    # After setup, and before the clock: these import models.
    from marketdata.tape.load import load_tape  # noqa: PLC0415
    from sessions.models import Order, Transaction  # noqa: PLC0415
    from sessions.simulate import Setup, simulate  # noqa: PLC0415
    from simengine.policy import Policy  # noqa: PLC0415
    from strategies.compiler import compile_form  # noqa: PLC0415
    from strategies.form import normalise  # noqa: PLC0415
    from strategies.runtime.sandbox import Sandbox  # noqa: PLC0415

    def run(path: str) -> tuple[float, int, int, str]:
        tape = load_tape(Path(path))
        loaded_at = day.clock()
        with Sandbox() as sandbox:
            strategy = sandbox.strategy(compile_form(normalise(FORM)))
            policy = Policy.from_json(POLICY)
            cents = 100 * day.CAPITAL_USD
            done = simulate(tape, Setup(strategy.source_hash, "peers", strategy, policy, cents))
        quotes = 2 * len(tape.ticks[0].strikes_cents) * len(tape.ticks)
        fills = [row for row in done.rows[Transaction] if row.order_number is not None]
        prices = [f"{(row.fill_price_cents or 0) / 100:.2f}" for row in done.rows[Order]]
        strikes = "/".join(row.instrument[12:18] for row in fills[:2])
        return loaded_at, quotes, len(fills), f"{strikes} at {', '.join(prices)}"

    return run


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    # REST framework takes it along where it finds it (10 MB). Our tests bring it, no installation.
    sys.modules["requests"] = None  # type: ignore[assignment]
    django.setup()
    day.report(contestant())
