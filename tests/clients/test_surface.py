from __future__ import annotations

import inspect
from types import FunctionType

from zerohour_client import AsyncZerohour, Zerohour, _async_groups, _sync_groups
from zerohour_client.operations import accounts, bots, market, service, sessions, strategies

MODULES = (accounts, bots, market, service, sessions, strategies)


def surface(groups):
    """(group, method) -> (kind of method, operation)."""
    return {
        (group.__name__, name): (type(method).__name__, method.operation)
        for group in vars(groups).values()
        if isinstance(group, type) and issubclass(group, groups.Group)
        for name, method in vars(group).items()
        if hasattr(method, "operation")
    }


def test_both_clients_have_the_same_methods_on_the_same_operations():
    assert surface(_sync_groups) == surface(_async_groups)


def test_every_operation_is_a_method():
    offered = {operation for _, operation in surface(_sync_groups).values()}
    written = {
        member
        for module in MODULES
        for name, member in vars(module).items()
        if isinstance(member, FunctionType)
        and member.__module__ == module.__name__
        and not name.startswith("_")
    }

    assert offered == written


def test_both_clients_have_the_same_groups():
    with Zerohour() as client:
        groups = {name: type(value).__name__ for name, value in vars(client).items()}
    others = {name: type(value).__name__ for name, value in vars(AsyncZerohour()).items()}

    public = {name: kind for name, kind in groups.items() if not name.startswith("_")}
    assert public == {name: kind for name, kind in others.items() if not name.startswith("_")}


def test_a_method_has_the_words_and_parameters_of_its_operation():
    with Zerohour() as client:
        method = client.bots.create

    assert inspect.signature(method) == inspect.signature(bots.create_bot)
    assert method.__doc__ == bots.create_bot.__doc__
