"""ETag and If-None-Match for answers that no longer change."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, set_response_etag
from rest_framework.request import Request
from rest_framework.response import Response

from common.views import ApiView


class FinalReads(ApiView):
    """Tags its answer once the view has set `is_final`; what can still change has no tag.

    The tag is of the content, so it also holds across releases that change nothing.
    """

    is_final = False

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if not self.is_final or answer.status_code != 200:
            return answer
        if isinstance(answer, Response):
            answer.add_post_render_callback(partial(_tagged, request))
            return answer
        return _tagged(request, answer)


def _tagged(request: Request, response: HttpResponse) -> HttpResponseBase | None:
    """The response with its tag, or 304 if that is what the client has."""
    set_response_etag(response)
    return get_conditional_response(request._request, etag=response["ETag"], response=response)
