"""Signing in and out with Django's own sessions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView


class SignInForm(AuthenticationForm):
    """The user name is the e-mail address, however it is capitalised."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The e-mail address or the password is wrong.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["username"].widget = email
        self.fields["username"].label = "E-mail address"


class SignIn(LoginView):
    template_name = "dashboard/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """By POST only: a link must not sign anybody out."""

    next_page = "/login"
