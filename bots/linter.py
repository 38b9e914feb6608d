"""What is allowed but probably not meant: warnings about a bot's settings, for its owner to read.

Nothing here refuses anything. Amounts are integer cents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.money import hundredths, parse_usd
from simengine.market import MULTIPLIER
from simengine.policy import Policy

FEED_CADENCE_MS = 1000  # a tick a second (domain.md section 1)


@dataclass(frozen=True, slots=True)
class SettingWarning:
    """`field` is the setting it is about, as the API names it."""

    field: str
    says: str


def warnings_of(
    *,
    policy: Policy,
    balance_cents: int,
    slippage_cents: int,
    config: Mapping[str, Any] | None,
) -> list[SettingWarning]:
    """`balance_cents` is what the next session opens with, `slippage_cents` the owner's, `config`
    the strategy's form, None for a program.
    """
    return [
        *_loss(policy, balance_cents, config),
        *_opening(policy, slippage_cents, config),
        *_closing(policy),
        *_staleness(policy),
    ]


def max_loss_cents(config: Mapping[str, Any], balance_cents: int) -> int | None:
    """The most one entry of a form can lose, credits not counted; None where the form leaves it to
    the market. Legs with a fixed distance (`offset`) from a sold one bound it by their width.
    """
    sizing = config["sizing"]
    if "risk_pct" in sizing:
        return int(Decimal(str(sizing["risk_pct"])) * balance_cents / 100)
    debit = config["entry"]["filters"].get("max_debit")
    if debit is not None:
        return int(parse_usd(debit)) * MULTIPLIER * int(sizing["contracts"])
    widths = [_width_cents(config["legs"], number) for number in range(len(config["legs"]))]
    known = [width for width in widths if width is not None]
    shorts = sum(leg["direction"] == "sell" for leg in config["legs"])
    if not shorts or len(known) < shorts:
        return None
    # One side at most ends in the money: the wider one counts (domain.md section 4).
    return max(known) * MULTIPLIER * int(sizing["contracts"])


def _width_cents(legs: list[Any], number: int) -> int | None:
    """Of the pair of a bought and a sold leg of which leg `number` is placed by the other, times
    its quantity.
    """
    leg = legs[number]
    strike = leg["strike"]
    if strike["method"] != "offset":
        return None
    other = legs[strike["from"]]
    if leg["type"] != other["type"] or leg["direction"] == other["direction"]:
        return None
    quantity = leg["qty"] if leg["direction"] == "sell" else other["qty"]
    return int(abs(Decimal(str(strike["value"]))) * 100) * int(quantity)


def _loss(
    policy: Policy, balance_cents: int, config: Mapping[str, Any] | None
) -> Iterator[SettingWarning]:
    worst_cents = max_loss_cents(config, balance_cents) if config is not None else None
    cap_cents = policy.max_daily_loss_e4 * balance_cents // 10_000
    if worst_cents is not None and worst_cents > cap_cents:
        yield SettingWarning(
            "max_daily_loss_pct",
            f"One losing trade can cost ${hundredths(worst_cents)}, more than the day's cap of"
            f" ${hundredths(cap_cents)}: a single trade can halt the day.",
        )


def _opening(
    policy: Policy, slippage_cents: int, config: Mapping[str, Any] | None
) -> Iterator[SettingWarning]:
    if config is not None and config["entry"]["order"] != "limit_mid":
        return
    opening = policy.opening
    if not slippage_cents:
        return
    if not opening.enabled:
        yield SettingWarning(
            "reprice.opening.enabled",
            "Entries rest at the mid and never concede, so they fill only if the market comes"
            f" ${hundredths(slippage_cents)} their way.",
        )
    elif opening.max_concession_cents < slippage_cents:
        yield SettingWarning(
            "reprice.opening.max_concession",
            f"The largest concession, ${hundredths(opening.max_concession_cents)}, is below your"
            f" slippage of ${hundredths(slippage_cents)}: in a still market an entry never fills.",
        )


def _closing(policy: Policy) -> Iterator[SettingWarning]:
    if not policy.closing.enabled:
        yield SettingWarning(
            "reprice.closing.enabled",
            "Exits are not re-priced: a stop or a target may rest at the mid, unfilled, until the"
            " close.",
        )


def _staleness(policy: Policy) -> Iterator[SettingWarning]:
    if policy.data_staleness_threshold_ms <= FEED_CADENCE_MS:
        yield SettingWarning(
            "data_staleness_threshold_ms",
            f"The feed ticks once a second: within {policy.data_staleness_threshold_ms} ms an"
            " ordinary pause counts as stale data and costs the error budget.",
        )
