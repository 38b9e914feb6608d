"""The operations as methods to await. `_sync_groups` has the same names."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from zerohour_client._calls import Call, Paged, StreamCall
from zerohour_client._follow import StreamEvent
from zerohour_client.operations import accounts, bots, market, service, sessions, strategies

if TYPE_CHECKING:
    from zerohour_client._async import AsyncZerohour

P = ParamSpec("P")
T = TypeVar("T")


class Group:
    def __init__(self, client: AsyncZerohour) -> None:
        self._client = client


class run(Generic[P, T]):  # noqa: N801 - reads as the method it makes
    """A method with the parameters of an operation, which carries it out."""

    def __init__(self, operation: Callable[P, Call[T]]) -> None:
        self.operation = operation

    def __get__(self, group: Group, _owner: type[Group]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(self.operation)
        def method(*args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
            return group._client.run(self.operation(*args, **kwargs))

        return method


class iterate(Generic[P, T]):  # noqa: N801 - reads as the method it makes
    """A method that gives every row of a list, page after page."""

    def __init__(self, operation: Callable[P, Paged[T]]) -> None:
        self.operation = operation

    def __get__(self, group: Group, _owner: type[Group]) -> Callable[P, AsyncGenerator[T, None]]:
        @wraps(self.operation)
        def method(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
            return group._client.iterate(self.operation(*args, **kwargs))

        return method


class follow(Generic[P, T]):  # noqa: N801 - reads as the method it makes
    """A method that gives the events of a stream as they come."""

    def __init__(self, operation: Callable[P, StreamCall[T]]) -> None:
        self.operation = operation

    def __get__(
        self, group: Group, _owner: type[Group]
    ) -> Callable[P, AsyncGenerator[StreamEvent[T], None]]:
        @wraps(self.operation)
        def method(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[StreamEvent[T], None]:
            return group._client.follow(self.operation(*args, **kwargs))

        return method


class Auth(Group):
    request_code = run(accounts.request_code)
    register = run(accounts.register)
    login = run(accounts.login)
    logout = run(accounts.logout)


class Tokens(Group):
    list = run(accounts.list_tokens)
    create = run(accounts.create_token)
    revoke = run(accounts.revoke_token)


class User(Group):
    get = run(accounts.get_user)
    update = run(accounts.update_user)


class Strategies(Group):
    list = iterate(strategies.list_strategies)
    create = run(strategies.create_strategy)
    get = run(strategies.get_strategy)
    update = run(strategies.update_strategy)
    delete = run(strategies.delete_strategy)
    clone = run(strategies.clone_strategy)
    preview = run(strategies.preview_strategy)
    form_schema = run(strategies.get_form_schema)
    templates = run(strategies.list_templates)


class Bots(Group):
    list = iterate(bots.list_bots)
    create = run(bots.create_bot)
    get = run(bots.get_bot)
    update = run(bots.update_bot)
    delete = run(bots.delete_bot)
    summary = run(bots.get_summary)
    adjustments = iterate(bots.list_adjustments)


class Sessions(Group):
    list = run(sessions.list_sessions)
    start = run(sessions.start_session)
    get = run(sessions.get_session)
    stop = run(sessions.stop_session)
    cancel_all_orders = run(sessions.cancel_all_orders)
    orders = iterate(sessions.list_orders)
    positions = run(sessions.list_positions)
    transactions = iterate(sessions.list_transactions)
    decision_log = iterate(sessions.list_decisions)
    events = iterate(sessions.list_events)
    entries = iterate(sessions.list_entries)
    financials = run(sessions.list_financials)
    financials_csv = run(sessions.get_financials_csv)
    integrity = run(sessions.get_integrity)
    stream = follow(sessions.stream_session)


class Market(Group):
    status = run(market.get_status)
    chain = run(market.get_chain)
    history = run(market.list_history)
    stream = follow(market.stream_market)


class Service(Group):
    health = run(service.get_health)
    ready = run(service.get_ready)
    openapi = run(service.get_openapi)
