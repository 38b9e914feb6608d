"""How numbers and times look: everywhere the same, and never told by colour alone.

Gains carry +, losses a true minus (−); what is unknown (None, or a name a template does not find)
is a dash. Money comes in integer cents.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from common.money import hundredths, parse_usd
from common.times import NEW_YORK, from_ms, rfc3339
from dashboard.facts import MINUS
from dashboard.facts import facts as facts_of
from dashboard.forms.base import Field
from dashboard.instruments import LegView, instrument_text
from dashboard.reads.market import market_strip
from sessions.models import Transaction

register = template.Library()

UNKNOWN = "–"
CLOCK = "%H:%M:%S"
BADGES = {"done": "completed", "canceled": "killed", "waiting": "scheduled"}
FORMATS = {
    "clock": CLOCK,
    "day": "%a %d %b %Y",
    "full": "%d %b %Y %H:%M:%S",
    "next": "%a %H:%M",
    "opening": "%a %d %b %H:%M",
}


@register.filter
def usd(cents: int | None) -> str:
    """2531240 -> "$25,312.40", -8000 -> "−$80.00"."""
    if not isinstance(cents, int):
        return UNKNOWN
    sign = MINUS if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


@register.filter
def to_cents(amount: str | None) -> int | None:
    """Cents of an amount as the API writes it."""
    return None if amount is None else parse_usd(amount)


@register.filter
def signed(cents: int | None) -> str:
    """A gain or loss: "+$12.40", "−$80.00", "$0.00", in its colour."""
    if not isinstance(cents, int):
        return UNKNOWN
    plus = "+" if cents > 0 else ""
    return format_html('<span class="{}">{}{}</span>', _tone(cents), plus, usd(cents))


@register.simple_tag
def cash_flow(transaction: Transaction) -> str:
    """What a transaction brought in (+) or cost (−)."""
    is_credit = transaction.effect == "credit"
    return signed(transaction.value_cents if is_credit else -transaction.value_cents)


@register.filter
def signed_text(cents: int) -> str:
    """A gain or loss where no colour can be: in a title, for a screen reader."""
    return f"{'+' if cents > 0 else ''}{usd(cents)}"


@register.filter
def signed_pct(basis_points: int | None) -> str:
    """Hundredths of a percent: 5030 -> "+50.30 %"."""
    if not isinstance(basis_points, int):
        return UNKNOWN
    plus = "+" if basis_points > 0 else ""
    text = hundredths(basis_points).replace("-", MINUS)
    return format_html('<span class="{}">{}{} %</span>', _tone(basis_points), plus, text)


@register.filter
def pct(basis_points: int | None) -> str:
    """Hundredths of a percent: 203 -> "2.03 %"."""
    return f"{hundredths(basis_points)} %" if isinstance(basis_points, int) else UNKNOWN


@register.filter
def package_price(cents: int | None) -> str:
    """A signed price per package: -85 -> "0.85 cr", 120 -> "1.20 db"."""
    return UNKNOWN if cents is None else f"{hundredths(abs(cents))} {'cr' if cents < 0 else 'db'}"


@register.filter
def package_mid(half_cents: int | None) -> str:
    """The same of an exact mid in half-cents: -175 -> "0.875 cr"."""
    if half_cents is None:
        return UNKNOWN
    dollars, rest = divmod(abs(half_cents), 200)
    text = f"{dollars}.{rest * 5:03d}".removesuffix("0")
    return f"{text} {'cr' if half_cents < 0 else 'db'}"


@register.filter
def points(cents: int | None) -> str:
    """Index points, signed: 1250 -> "+12.50"."""
    if not isinstance(cents, int):
        return UNKNOWN
    return f"{'+' if cents > 0 else ''}{hundredths(cents).replace('-', MINUS)}"


@register.filter
def plain_points(cents: int | None) -> str:
    """An index value or an amount without a sign of its own: 595025 -> "5,950.25"."""
    return f"{cents // 100:,}.{cents % 100:02d}" if isinstance(cents, int) else UNKNOWN


@register.filter
def whole_points(cents: int) -> str:
    """A strike on a drawing: 595000 -> "5950"."""
    return f"{cents / 100:g}"


@register.filter
def quote(amount: str | None) -> str:
    """A bid or ask as the API writes it, with two decimals: "1.2" -> "1.20"."""
    return UNKNOWN if amount is None else hundredths(parse_usd(amount))


@register.filter
def short_delta(delta: str | None) -> str:
    return UNKNOWN if delta is None else f"{Decimal(delta):.2f}"


@register.filter
def minus(number: float, places: int) -> str:
    """A plain number with a true minus: -0.25 -> "−0.250" with 3 places."""
    return f"{number:.{places}f}".replace("-", MINUS)


@register.filter
def true_minus(text: str | None) -> str:
    return UNKNOWN if text is None else text.replace("-", MINUS)


@register.filter
def age(elapsed: timedelta | None) -> str:
    """Market time since something: "0 s ago", "3 min ago"."""
    if elapsed is None:
        return UNKNOWN
    seconds = int(elapsed.total_seconds())
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


@register.filter
def milliseconds(elapsed: timedelta) -> str:
    """ "250 ms"."""
    return f"{round(elapsed.total_seconds() * 1_000)} ms"


@register.filter
def count_of(count: int, words: str) -> str:
    """2 with "trade,trades" -> "2 trades"; "no trades" for none."""
    one, many = words.split(",")
    return f"{count or 'no'} {one if count == 1 else many}"


@register.filter
def facts(data: Any) -> str:
    return facts_of(data)


@register.filter
def pretty_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def instrument(symbol: str) -> str:
    return instrument_text(symbol)


@register.filter
def legs_text(legs: list[LegView]) -> str:
    return ", ".join(leg.text for leg in legs)


@register.filter
def words(code: str | None) -> str:
    """A machine word for people: "waiting_for_data" -> "waiting for data"."""
    return (code or "").replace("_", " ")


@register.filter
def badge(status: str) -> str:
    """The look of a backtest's status: that of a session's which means the same."""
    return BADGES.get(status, status)


@register.filter
def dashed(name: str) -> str:
    """A field's name as part of its id: "reprice.opening" -> "reprice-opening"."""
    return name.replace(".", "-")


@register.filter
def ms_at(ms: int) -> datetime:
    return from_ms(ms)


@register.simple_tag
def at(value: datetime | None, style: str = "clock") -> SafeString | str:
    """A time in New York; UTC in the title."""
    if value is None:
        return UNKNOWN
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        rfc3339(value),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        value.astimezone(NEW_YORK).strftime(FORMATS[style]),
    )


@register.simple_tag
def age_at(value: datetime | None, elapsed: timedelta | None) -> SafeString | str:
    """How long ago a time was, the time itself in the title; without an age the time."""
    if value is None or elapsed is None:
        return at(value)
    utc = value.astimezone(UTC)
    titled = f"{value.astimezone(NEW_YORK):{CLOCK}} New York, {utc:%Y-%m-%d %H:%M:%S} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', rfc3339(value), titled, age(elapsed)
    )


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], section: str) -> SafeString | str:
    """The mark of the page's own entry in the navigation."""
    return mark_safe('aria-current="page"') if context.get("section") == section else ""


@register.simple_tag
def describe(field: Field) -> SafeString:
    """The attributes by which a screen reader finds a field's error and hint."""
    ids = [f"{field.id}-error"] * bool(field.errors) + [f"{field.id}-hint"] * bool(field.hint)
    parts = [format_html('aria-describedby="{}"', " ".join(ids))] if ids else []
    if field.errors:
        parts.append(mark_safe('aria-invalid="true"'))
    if field.is_required:
        parts.append(mark_safe('aria-required="true"'))
    return format_html_join(" ", "{}", ((part,) for part in parts))


@register.inclusion_tag("dashboard/partials/market_strip.html")
def market_now() -> dict[str, Any]:
    return {"market": market_strip()}


def _tone(amount: int) -> str:
    return "gain" if amount > 0 else "loss" if amount < 0 else "flat"
