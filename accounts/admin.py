"""Users in the admin site. Passwords have a form of their own; tokens can only be revoked."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from knox.models import AuthToken
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import services
from accounts.models import User
from common.admin import QuickAdmin

MAY_STOP = "bot_sessions.change_botsession"  # the desk's, which is no layer below this one

admin.site.unregister(AuthToken)  # a list of hashes helps nobody


@admin.register(User)
class UserAdmin(DjangoUserAdmin, QuickAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ()
    search_fields = ("email",)
    search_help_text = "the whole e-mail address"
    sortable_by = ()
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (
            "Costs (cents)",
            {
                "fields": (
                    "open_fee_cents",
                    "close_fee_cents",
                    "exercise_fee_cents",
                    "slippage_cents",
                )
            },
        ),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    actions = ("revoke_tokens",)
    actions_detail = ("stop_sessions",)

    def has_stop_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(MAY_STOP)

    @action(description="Stop the user's sessions", url_path="stop-sessions", permissions=["stop"])
    def stop_sessions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the desk, which asks for the reason and what becomes of positions."""
        user = get_object_or_404(User.objects.only("email"), pk=object_id)
        return redirect(f"{reverse('admin:stop')}?{urlencode({'user': user.email})}")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # a user's ledgers would go along; switch the account off instead

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        term = search_term.strip().lower()
        return (queryset.filter(email=term) if term else queryset), False

    @admin.action(description="Revoke all API tokens")
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = services.revoke_all_tokens(users=queryset)
        self.message_user(request, f"{count} tokens revoked.")
