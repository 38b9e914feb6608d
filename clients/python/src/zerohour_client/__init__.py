"""Zerohour from Python: `Zerohour` blocks, `AsyncZerohour` is for asyncio.

with Zerohour("http://127.0.0.1:8000", token) as zerohour:
    for bot in zerohour.bots.list():
        print(bot.name, bot.cash_balance)
"""

from zerohour_client import models
from zerohour_client._async import AsyncZerohour
from zerohour_client._follow import StreamEvent
from zerohour_client._sync import Zerohour
from zerohour_client.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    ServerError,
    TimedOut,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    Unprocessable,
    ZerohourError,
)
from zerohour_client.operations.sessions import FROM_THE_START
from zerohour_client.retry import RetryPolicy

__all__ = [
    "FROM_THE_START",
    "ApiError",
    "AsyncZerohour",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "InvalidInput",
    "NotFound",
    "RateLimited",
    "RetryPolicy",
    "ServerError",
    "StreamEvent",
    "TimedOut",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unprocessable",
    "Zerohour",
    "ZerohourError",
    "models",
]
