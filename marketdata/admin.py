"""The market in the admin site: its days for looking, its clock for steering."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from common.admin import QuickAdmin, ReadOnlyAdmin
from marketdata import services
from marketdata.models import MarketControl, MarketDay

FASTEST = 100_000


@admin.register(MarketDay)
class MarketDayAdmin(ReadOnlyAdmin):
    """Days are made and closed by the market process; a settlement is entered at the desk."""

    list_display = (
        "trading_date",
        "source",
        "status",
        "last_seq",
        "settlement_cents",
        "settlement_source",
        "closed_at",
    )
    list_filter = ("status",)
    ordering = ("-trading_date",)
    sortable_by = ()


class ControlForm(forms.ModelForm):
    speed = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=FASTEST,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="Market seconds per second; empty for the process's own. A live feed has none.",
    )

    class Meta:
        model = MarketControl
        fields = ("is_paused", "speed", "is_looping")
        labels = {"is_paused": "Paused", "is_looping": "Begin a tape again after its close"}


@admin.register(MarketControl)
class MarketControlAdmin(QuickAdmin):
    """One row, shown at once; the market process obeys within half a second."""

    form = ControlForm

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_change_permission(request):
            MarketControl.objects.get_or_create(pk=1)
        return redirect(reverse("admin:marketdata_marketcontrol_change", args=[1]))

    def save_model(self, request: HttpRequest, obj: MarketControl, form: Any, change: bool) -> None:
        wishes = {name: form.cleaned_data[name] for name in form.changed_data}
        if wishes.get("is_paused") is False:
            wishes["steps_left"] = 0
        services.steer(**wishes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MarketControl | None = None) -> bool:
        return False
