"""The operators' own pages in the admin site: health, stopping sessions, the kill switch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.generic import FormView, TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.models import User
from accounts.queries import user_by_email
from common.errors import Refusal
from common.money import parse_usd
from dashboard.health_cards import cards
from dashboard.reads.health import read_health
from marketdata.queries import market_now
from marketdata.settlement import enter_settlement
from sessions import halts, stops
from sessions.models import BotSession

MAY_LOOK = "bot_sessions.view_botsession"
MAY_STOP = "bot_sessions.change_botsession"
MAY_HALT = "bot_sessions.add_tradinghalt"
MAY_SETTLE = "marketdata.change_marketday"


class Reason(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with who you are and the time.",
    )


class Stop(Reason):
    field_order: tuple[str, ...] = ("flatten", "reason")
    flatten = forms.BooleanField(
        required=False,
        label="Close positions at market first",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Otherwise what is held is marked until the close and settles then.",
    )


class StopSelected(Stop):
    field_order = ("sessions", "user", "flatten", "reason")
    sessions = forms.CharField(required=False, widget=forms.HiddenInput())
    user = forms.EmailField(
        required=False,
        label="All live sessions of the user",
        widget=UnfoldAdminTextInputWidget(),
        help_text="The e-mail address; leave it empty to stop the selected sessions.",
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        email, chosen = given.get("user"), given.get("sessions")
        if bool(email) == bool(chosen):
            raise forms.ValidationError("Name a user, or select sessions in their list.")
        if email:
            given["owner"] = user_by_email(email)
            if given["owner"] is None:
                self.add_error("user", "There is no user with this address.")
        else:
            given["ids"] = _ids(str(chosen))
        return given


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(part) for part in text.split(",")]
    except ValueError:
        raise forms.ValidationError("Select the sessions in their list.") from None


class Settlement(Reason):
    field_order = ("trading_date", "value", "reason")
    trading_date = forms.DateField(
        label="Trading day", widget=UnfoldAdminTextInputWidget(), help_text="YYYY-MM-DD"
    )
    value = forms.DecimalField(
        label="Official settlement value",
        min_value=Decimal("0.01"),
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Of the index, such as 5951.87.",
    )


class HealthPage(UnfoldModelAdminViewMixin, TemplateView):
    title = "Health"
    permission_required = (MAY_LOOK,)
    template_name = "dashboard/admin/health.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        health = read_health(now=timezone.now())
        links = {
            "halt": reverse("admin:halt"),
            "lift": reverse("admin:lift"),
            "settle": reverse("admin:settle"),
            "sessions": reverse("admin:bot_sessions_botsession_changelist") + "?status=live",
        }
        return super().get_context_data(health=health, cards=cards(health), links=links, **context)


class _Order(UnfoldModelAdminViewMixin, FormView):
    """A page with one form that does one thing, said in `says` and on its button."""

    template_name = "dashboard/admin/order.html"
    success_url = reverse_lazy("admin:health")
    says = ""
    button = ""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        try:
            self.obey(form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            return self.form_invalid(form)
        return super().form_valid(form)

    def obey(self, given: dict[str, Any]) -> None:
        raise NotImplementedError


class StopPage(_Order):
    title = "Stop sessions"
    permission_required = (MAY_STOP,)
    form_class = StopSelected
    says = "Each session leaves at its next tick. Its user sees that it was stopped."
    button = "Stop them"

    def get_initial(self) -> dict[str, Any]:
        query = self.request.GET
        return {"sessions": query.get("sessions", ""), "user": query.get("user", "")}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        chosen = self.get_initial()["sessions"]
        count = len(chosen.split(",")) if chosen else 0
        return super().get_context_data(selected_count=count, **context)

    def obey(self, given: dict[str, Any]) -> None:
        ids = given["ids"] if "ids" in given else stops.sessions_of_users([given["owner"]])
        asked = stops.stop(
            ids, by=self.request.user, flatten=given["flatten"], market_at=market_now().at
        )
        flat = ", positions closed first" if given["flatten"] else ""
        sessions = BotSession.objects.filter(pk__in=ids).select_related("bot").defer("state")
        note_changes(self.request, list(sessions), f"Stop asked for{flat}: {given['reason']}")
        messages.success(self.request, f"{asked} of {len(ids)} sessions were asked to stop.")


class HaltPage(_Order):
    title = "Halt all trading"
    permission_required = (MAY_HALT,)
    form_class = Stop
    says = (
        "Every live session is stopped, and none starts until the halt is lifted. Users get 503"
        " live_trading_unavailable with your reason."
    )
    button = "Halt all trading"

    def obey(self, given: dict[str, Any]) -> None:
        halt = halts.halt_everything(
            by=self.request.user,
            reason=given["reason"],
            flatten=given["flatten"],
            now=timezone.now(),
        )
        note_changes(self.request, [halt], f"Halted all trading: {halt.reason}")
        stops.enforce(market_at=market_now().at)
        messages.success(self.request, "Trading is halted; every live session is asked to stop.")


class LiftPage(_Order):
    title = "Lift the halt"
    permission_required = (MAY_HALT,)
    form_class = Reason
    says = "Sessions may start again. Those that were stopped stay stopped."
    button = "Lift the halt"

    def obey(self, given: dict[str, Any]) -> None:
        halt = halts.lift(by=self.request.user, reason=given["reason"], now=timezone.now())
        note_changes(self.request, [halt], f"Lifted the halt: {halt.lift_reason}")
        messages.success(self.request, "Trading is open again.")


class SettlePage(_Order):
    title = "Enter a settlement value"
    permission_required = (MAY_SETTLE,)
    form_class = Settlement
    says = (
        "A day without a value settles by it. Another value than before is a correction: settled"
        " sessions stay as they are and the difference is booked on their bots."
    )
    button = "Enter it"

    def get_initial(self) -> dict[str, Any]:
        return {"trading_date": self.request.GET.get("day", "")}

    def obey(self, given: dict[str, Any]) -> None:
        day = enter_settlement(
            trading_date=given["trading_date"],
            settlement_cents=parse_usd(given["value"]),
            reason=given["reason"],
            entered_by=self.request.user.get_username(),
        )
        note_changes(self.request, [day], f"Settlement {given['value']}: {given['reason']}")
        messages.success(self.request, f"{day.trading_date} settles at {given['value']}.")


def note_changes(request: HttpRequest, rows: list[Model], message: str) -> None:
    """Write down, in the admin site's own log, who did this to these rows."""
    if not rows:
        return
    operator = cast(User, request.user)  # the admin site let nobody else in
    kind = ContentType.objects.get_for_model(rows[0])
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=operator.pk,
            content_type=kind,
            object_id=str(row.pk),
            object_repr=str(row)[:200],
            action_flag=CHANGE,
            change_message=message,
        )
        for row in rows
    )


def stop_url(ids: list[UUID]) -> str:
    return f"{reverse('admin:stop')}?sessions={','.join(map(str, ids))}"
