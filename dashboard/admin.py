"""Sessions and the kill switch in the admin site, with their bots and figures."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from common.admin import ReadOnlyAdmin, by_id
from common.money import usd
from common.times import NEW_YORK
from dashboard import desk
from dashboard.reads.books import latest_points
from marketdata.models import MarketDay
from sessions.lifecycle import LIVE, Status
from sessions.models import BotSession, TradingHalt

COLOURS = {
    **dict.fromkeys(LIVE, "info"),
    Status.RUNNING: "success",
    Status.HALTED: "warning",
    Status.KILLING: "warning",
    Status.FAILED: "danger",
}


class SessionList(ChangeList):
    """A page of sessions with what their rows do not say: the day's last tick, their profit."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        sessions: list[Any] = list(self.result_list)  # the page alone is read
        points = latest_points(sessions)
        last_seqs = _last_seqs({session.trading_date for session in sessions})
        for session in sessions:
            session.point = points.get(session.pk)
            session.market_seq = last_seqs.get(session.trading_date)
        self.result_list = sessions


def _last_seqs(dates: set[date]) -> dict[date, int]:
    days = MarketDay.objects.filter(pk__in=dates)
    return dict(days.values_list("trading_date", "last_seq"))


class StatusFilter(admin.SimpleListFilter):
    """By status. Live ones are looked for among the unsettled, which an index holds."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "live"), ("unsettled", "not settled"), *Status.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BotSession]
    ) -> QuerySet[BotSession]:
        value = self.value()
        if value == "live":
            return queryset.filter(settled_at=None, status__in=sorted(LIVE))
        if value == "unsettled":
            return queryset.filter(settled_at=None)
        if value in LIVE:
            return queryset.filter(settled_at=None, status=value)
        return queryset.filter(status=value) if value else queryset


@admin.register(BotSession)
class BotSessionAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "user",
        "day",
        "status_label",
        "profit",
        "tick",
        "behind",
        "market_time",
        "runner",
        "epoch",
        "takeovers",
    )
    list_filter = (StatusFilter,)
    list_fullwidth = True
    search_fields = ("id",)
    search_help_text = "the id of a session or bot, a day (2026-05-07), or a user's whole e-mail"
    ordering = ("-trading_date", "-created_at", "-id")
    sortable_by = ()
    exclude = ("state",)  # the engine's snapshot is large and says nothing to people
    actions = ("stop_selected",)
    actions_list = ("health", "stop_a_users")
    actions_detail = ("stop_this",)

    class Media:
        js = ("dashboard/js/admin_live.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BotSession]:
        rows: QuerySet[BotSession] = super().get_queryset(request)
        return rows.select_related("bot__owner").defer("state")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return SessionList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BotSession], search_term: str
    ) -> tuple[QuerySet[BotSession], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(bot__owner__email=term.lower()), False
        try:
            return queryset.filter(trading_date=date.fromisoformat(term)), False
        except ValueError:
            return by_id(queryset, "id", term) | by_id(queryset, "bot", term), False

    def has_stop_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(desk.MAY_STOP)

    @display(description="status", label={str(key): value for key, value in COLOURS.items()})
    def status_label(self, session: BotSession) -> tuple[str, str]:
        return session.status, session.get_status_display()

    @display(description="bot")
    def name(self, session: BotSession) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', session.bot.name)

    @display(description="day")
    def day(self, session: BotSession) -> date:
        return session.trading_date

    @display(description="last tick")
    def market_time(self, session: BotSession) -> str:
        """New York time of the session's last tick."""
        at = session.last_tick_at
        return "" if at is None else f"{at.astimezone(NEW_YORK):%H:%M:%S}"

    @display(description="user")
    def user(self, session: BotSession) -> SafeString:
        email = session.bot.owner.email
        return format_html('<a href="?q={}">{}</a>', email, email)

    @display(description="P&L")
    def profit(self, session: Any) -> str:
        return "" if session.point is None else usd(session.point.profit_loss_cents)

    @display(description="tick")
    def tick(self, session: BotSession) -> int:
        return session.last_tick_seq

    @display(description="behind")
    def behind(self, session: Any) -> int | str:
        if session.settled_at is not None or session.market_seq is None:
            return ""
        return max(0, session.market_seq - session.last_tick_seq)

    @display(description="owner, lease")
    def runner(self, session: BotSession) -> str:
        """With the seconds left, by our clock; the database's decides."""
        if session.owner is None or session.lease_until is None:
            return ""
        left = session.lease_until - timezone.now()
        lease = f"{left.total_seconds():.0f} s" if left > timedelta(0) else "ran out"
        return f"{str(session.owner)[:8]}, {lease}"

    @admin.action(description="Stop the selected sessions", permissions=["stop"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[BotSession]) -> HttpResponse:
        return redirect(desk.stop_url(list(queryset.values_list("pk", flat=True))))

    @action(description="Stop this session", url_path="stop", permissions=["stop"])
    def stop_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(desk.stop_url([BotSession.objects.only("pk").get(pk=object_id).pk]))

    @action(description="Health", url_path="to-health")
    def health(self, request: HttpRequest) -> HttpResponse:
        return redirect(reverse("admin:health"))

    @action(description="Stop a user's sessions", url_path="to-stop", permissions=["stop"])
    def stop_a_users(self, request: HttpRequest) -> HttpResponse:
        return redirect(reverse("admin:stop"))


@admin.register(TradingHalt)
class TradingHaltAdmin(ReadOnlyAdmin):
    """The record of the kill switch, and the way to the pages that throw it."""

    list_display = (
        "ordered_at",
        "ordered_by",
        "reason",
        "is_flattening",
        "lifted_at",
        "lifted_by",
        "lift_reason",
    )
    list_select_related = ("ordered_by", "lifted_by")
    ordering = ("-id",)
    sortable_by = ()
    actions_list = ("throw", "lift")

    def has_halt_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(desk.MAY_HALT)

    def get_urls(self) -> list[URLPattern]:
        """The desk's pages stand before the ids of halts."""
        pages = (
            ("health", desk.HealthPage),
            ("stop", desk.StopPage),
            ("halt", desk.HaltPage),
            ("lift", desk.LiftPage),
            ("settle", desk.SettlePage),
        )
        return [
            *(
                path(
                    f"{name}/",
                    self.admin_site.admin_view(page.as_view(model_admin=self)),
                    name=name,
                )
                for name, page in pages
            ),
            *super().get_urls(),
        ]

    @action(
        description="Halt all trading",
        url_path="to-halt",
        permissions=["halt"],
        variant=ActionVariant.DANGER,
    )
    def throw(self, request: HttpRequest) -> HttpResponse:
        return redirect(reverse("admin:halt"))

    @action(description="Lift the halt", url_path="to-lift", permissions=["halt"])
    def lift(self, request: HttpRequest) -> HttpResponse:
        return redirect(reverse("admin:lift"))
