"""Who may see a page, and what becomes of a refusal: the door of every view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from common.errors import NotFound, Unauthorized

View = Callable[..., HttpResponse]


class UserRequest(HttpRequest):
    """A request behind the door: somebody is signed in."""

    user: User


def page(*methods: str, is_public: bool = False) -> Callable[[View], View]:
    """For signed-in users, or for everybody; what is not theirs is 404. Without methods: GET.

    Pages show what moves, so no cache keeps them. A visitor of a public page who may not see what
    is there is sent to the log-in: it may be his.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated and not is_public:
                return _sign_in(request)
            try:
                return view(cast(UserRequest, request), *args, **kwargs)
            except Unauthorized:
                return _sign_in(request)
            except NotFound as refusal:
                raise Http404(refusal.message) from refusal

        return never_cache(require_http_methods(list(methods) or ["GET", "HEAD"])(guarded))

    return decorate


def _sign_in(request: HttpRequest) -> HttpResponse:
    """To the log-in and back. A fragment cannot show a log-in, so the whole page goes there."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": settings.LOGIN_URL})
    return redirect_to_login(request.get_full_path())
