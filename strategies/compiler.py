"""From the canonical form to a program: readable, and the same text for the same form, always.

The program decides at its scheduled times only; exits are handed to `ctx.open` and are the
engine's. It logs what it looked at, and every entry that opens nothing says why in `ctx.skip`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from strategies.form import PERCENT_EXITS, number_text

HEADER = '"""Compiled from a form. It is an ordinary program: clone it and edit it."""'


def compile_form(form: dict[str, Any]) -> str:
    """The program of a canonical form (`form.normalise`)."""
    times = ", ".join(f'"{clock}"' for clock in form["entry"]["times"])
    blocks = [
        f"{HEADER}\n\ntimes = [{times}]",
        _legs_function(form["legs"]),
        _refusal_function(form["entry"]),
        _skip_function(),
        _at_function(form),
    ]
    return "\n\n\n".join(blocks) + "\n"


def _legs_function(legs: list[dict[str, Any]]) -> str:
    lines = ["def legs():", "    return ["]
    lines += [f"        {_leg(leg)}," for leg in legs]
    return "\n".join([*lines, "    ]"])


def _leg(leg: dict[str, Any]) -> str:
    strike = leg["strike"]
    method = strike["method"]
    quantity = "" if leg["qty"] == 1 else f"{leg['qty']}, "
    chosen = "atm=True" if method == "atm" else f"{method}={number_text(strike['value'])}"
    if method == "offset":
        chosen += f", leg={strike['from']}"
    return f'{leg["direction"]}("{leg["type"]}", {quantity}{chosen})'


def _refusal_function(entry: dict[str, Any]) -> str:
    filters = entry["filters"]
    lines = ["def reason_to_wait(ctx):", '    """Why nothing may be opened now, or None."""']
    days = ", ".join(f'"{day}"' for day in entry["weekdays"])
    if len(entry["weekdays"]) < 5:
        lines += [
            f"    if ctx.weekday not in [{days}]:",
            '        return f"weekdays: {ctx.weekday} is not one of the days"',
        ]
    if "max_entries" in entry:
        lines += [
            f"    if ctx.entries >= {entry['max_entries']}:",
            '        return f"max_entries: {ctx.entries} made today, '
            f'at most {entry["max_entries"]}"',
        ]
    if "one_at_a_time" in filters:
        lines += [
            '    if ctx.trades or any(order.kind == "opening" for order in ctx.orders):',
            '        return "one_at_a_time: a trade is open or being opened"',
        ]
    lines += _cooldown(filters) + _vix(filters) + _spot_move(filters)
    return "\n".join([*lines, "    return None"])


def _cooldown(filters: dict[str, Any]) -> list[str]:
    if "cooldown_after_loss_minutes" not in filters:
        return []
    minutes = filters["cooldown_after_loss_minutes"]
    return [
        "    for trade in ctx.closed_trades:",
        f"        if trade.profit_cents < 0 and trade.closed_seconds_ago < {minutes} * 60:",
        f'            return f"cooldown_after_loss_minutes: {{trade}} closed at a loss less than '
        f'{minutes} minutes ago"',
    ]


def _vix(filters: dict[str, Any]) -> list[str]:
    bounds = [
        (name, sign, word, number_text(filters[name]))
        for name, sign, word in (("vix_min", "<", "below"), ("vix_max", ">", "above"))
        if name in filters
    ]
    lines: list[str] = []
    if bounds:
        lines += [
            "    if ctx.vix is None:",
            f'        return "{bounds[0][0]}: the VIX is not known"',
        ]
    for name, sign, word, bound in bounds:
        lines += [
            f"    if ctx.vix {sign} {bound}:",
            f'        return f"{name}: VIX {{ctx.vix:.2f}} is {word} {bound}"',
        ]
    return lines


def _spot_move(filters: dict[str, Any]) -> list[str]:
    if "spot_move_max_pct" not in filters:
        return []
    percent = number_text(filters["spot_move_max_pct"])
    hundredths = int(Decimal(percent) * 100)
    return [
        "    moved = abs(ctx.spot_cents - ctx.open_spot_cents)",
        f"    if moved * 10000 > {hundredths} * ctx.open_spot_cents:  # {percent} %",
        '        return f"spot_move_max_pct: spot moved {moved / 100:.2f} points since the open, '
        f'more than {percent} %"',
    ]


def _skip_function() -> str:
    return "\n".join(
        [
            "def skip(ctx, time, reason):",
            '    ctx.log(f"entry {time} skipped: {reason}")',
            "    ctx.skip(reason)",
        ]
    )


def _at_function(form: dict[str, Any]) -> str:
    filters = form["entry"]["filters"]
    lines = [
        "def at(ctx, time):",
        "    reason = reason_to_wait(ctx)",
        "    if reason:",
        "        return skip(ctx, time, reason)",
        "    package = ctx.select(legs())",
        '    ctx.log(f"entry {time}", spot=ctx.spot, vix=ctx.vix, **package.explain())',
        "    if not package.found:",
        "        return skip(ctx, time, package.reason)",
        *_price_filter(filters, "min_credit", "credit", "<", "below"),
        *_price_filter(filters, "max_debit", "debit", ">", "above"),
    ]
    if "risk_pct" in form["sizing"]:
        lines += _risk_sizing(number_text(form["sizing"]["risk_pct"]))
    return "\n".join([*lines, *_open_call(form)])


def _price_filter(filters: dict[str, Any], name: str, side: str, sign: str, word: str) -> list[str]:
    if name not in filters:
        return []
    bound = filters[name]
    cents = int(Decimal(bound) * 100)
    return [
        f"    if package.{side}_cents {sign} {cents}:",
        f'        reason = f"{name}: the {side} {{package.{side}:.2f}} is {word} {bound}"',
        "        return skip(ctx, time, reason)",
    ]


def _risk_sizing(percent: str) -> list[str]:
    return [
        f"    contracts = ctx.contracts_for_risk(package, {percent})",
        "    if contracts < 1:",
        "        loss = ctx.max_loss(package)",
        f'        reason = f"risk_pct: one package may lose {{loss:.2f}}, more than {percent} % of '
        'the opening balance"',
        "        return skip(ctx, time, reason)",
    ]


def _open_call(form: dict[str, Any]) -> list[str]:
    exits = form["exit"]
    contracts = "contracts" if "risk_pct" in form["sizing"] else form["sizing"]["contracts"]
    order = "market" if form["entry"]["order"] == "market" else "limit"
    arguments = [
        "package",
        f"contracts={contracts}",
        f'order="{order}"',
        *(f"{name}={number_text(exits[name])}" for name in PERCENT_EXITS if name in exits),
        *(["exit_on_touch=True"] if "touch_short_strike" in exits else []),
        *([f'exit_at="{exits["time"]}"'] if "time" in exits else []),
        "name=time",
    ]
    return ["    ctx.open(", *(f"        {argument}," for argument in arguments), "    )"]
