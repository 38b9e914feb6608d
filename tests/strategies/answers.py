"""Reading the answers of the API."""

from __future__ import annotations

from typing import Any


def refusal(response: Any) -> tuple[int, str]:
    """Status and machine code of a refused request."""
    return response.status_code, response.json()["error"]
