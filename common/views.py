"""What every view of the API has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import InvalidInput


class ApiView(APIView):
    """Refuses query parameters that it does not know: a misspelt filter must not answer all there
    is. `query` names those it takes, by method.
    """

    query: ClassVar[Mapping[str, Sequence[str]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            method = "GET" if request.method == "HEAD" else str(request.method)
            check_parameters(request.query_params, known=self.query.get(method, ()))


def check_parameters(sent: QueryDict, *, known: Sequence[str]) -> None:
    """InvalidInput for a parameter that is not known, or is given twice."""
    problems: dict[str, list[str]] = {}
    for name, values in sent.lists():
        if name not in known:
            problems[name] = [f"unknown parameter; known are {', '.join(known) or 'none'}"]
        elif len(values) > 1:
            problems[name] = ["must be given once"]
    if problems:
        name, reasons = next(iter(problems.items()))
        others = len(problems) - 1
        tail = f" ({others} more below)" if others else ""
        raise InvalidInput(f"{name}: {reasons[0]}{tail}.", fields=problems)
