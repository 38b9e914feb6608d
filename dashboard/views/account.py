"""One's own account: what trading costs, and the tokens of programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import queries, services
from accounts.models import Scope, every_scope
from accounts.shapes import TOKEN_NAME_LENGTH
from common.errors import Refusal
from dashboard.access import UserRequest, page
from dashboard.forms import account as account_forms


@page("GET", "POST")
def account(request: UserRequest) -> HttpResponse:
    if request.method != "POST":
        form = account_forms.account_form(account_forms.values_of(request.user))
        return _show(request, form=form)
    values = account_forms.sent_values(request.POST)
    try:
        changes = account_forms.columns_of(values)
    except Refusal as refusal:
        form = account_forms.account_form(values, refusal)
        return _show(request, status=refusal.status, form=form)
    services.update_user(user=request.user, changes=changes)
    messages.success(request, "Saved. Sessions that start from now on use it.")
    return redirect("dashboard:account")


@page("POST")
def create_token(request: UserRequest) -> HttpResponse:
    """Shown in this one answer; only its hash is kept."""
    is_reading = request.POST.get("scope") == Scope.READ
    token = services.create_token(
        user=request.user,
        name=request.POST.get("name", "")[:TOKEN_NAME_LENGTH],
        scopes=[Scope.READ.value] if is_reading else every_scope(),
    )
    form = account_forms.account_form(account_forms.values_of(request.user))
    return _show(request, form=form, new_token=token)


@page("POST")
def revoke_token(request: UserRequest, token_id: UUID) -> HttpResponse:
    services.revoke_token(token=queries.token_of(request.user, token_id))
    messages.success(request, "The token is revoked; programs that use it are signed out.")
    return redirect("dashboard:account")


def _show(request: UserRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"section": "account", "tokens": queries.tokens_of(request.user), **more}
    return render(request, "dashboard/account.html", context, status=status)
