"""Margin: each short is paired with the longs of its type that leave the least requirement.

Rules (domain.md section 4): a naked short costs 20 % of its strike, a credit vertical its width, a
debit vertical or covered short nothing; of the call side and the put side of one expiry the larger
counts. Pairing is a minimum-cost flow from short contracts to long contracts, so it is exact for
every shape and every quantity: verticals, condors, flies, ratios, unbalanced and naked alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

from simengine.market import CALL, MULTIPLIER, PUT, Contract

NAKED_PCT = 20


def margin_cents(holdings: Iterable[tuple[Contract, int]]) -> int:
    """The requirement in cents of net holdings: (contract, signed quantity), each contract once."""
    sides: dict[str, list[tuple[int, int]]] = {CALL: [], PUT: []}
    for contract, quantity in holdings:
        if quantity:
            sides[contract.right].append((contract.strike_cents, quantity))
    return max(_side_cents(right, held) for right, held in sides.items())


def _side_cents(right: str, held: list[tuple[int, int]]) -> int:
    shorts = sorted((strike, -quantity) for strike, quantity in held if quantity < 0)
    longs = sorted((strike, quantity) for strike, quantity in held if quantity > 0)
    if not shorts:
        return 0
    scale = gcd(*(quantity for _, quantity in shorts + longs))
    supply = [quantity // scale for _, quantity in shorts]
    room = [quantity // scale for _, quantity in longs]
    # The last column is "naked": it has room for all, at 20 % of the strike (per share, in cents).
    cost = [
        [_width_cents(right, short, long) for long, _ in longs] + [short * NAKED_PCT // 100]
        for short, _ in shorts
    ]
    least = _least_cost(supply, [*room, sum(supply)], cost)
    return least * scale * MULTIPLIER


def _width_cents(right: str, short_strike_cents: int, long_strike_cents: int) -> int:
    """What a paired short can lose per share: nothing when the long is the nearer one."""
    if right == PUT:
        return max(0, short_strike_cents - long_strike_cents)
    return max(0, long_strike_cents - short_strike_cents)


def _least_cost(supply: list[int], room: list[int], cost: list[list[int]]) -> int:
    """Transport all of `supply` into `room` at least cost, by successive cheapest paths."""
    flow = [[0] * len(room) for _ in supply]
    left, total = list(supply), 0
    for row in range(len(supply)):
        while left[row]:
            length, path, amount = _cheapest_path(row, left[row], room, cost, flow)
            for short, column, forward in path:
                flow[short][column] += amount if forward else -amount
            room[path[-1][1]] -= amount
            left[row] -= amount
            total += length * amount
    return total


Step = tuple[int, int, bool]  # (short, column, forward): a pairing made, or taken back


def _cheapest_path(
    start: int, wanted: int, room: list[int], cost: list[list[int]], flow: list[list[int]]
) -> tuple[int, list[Step], int]:
    """The cheapest way from a short to a column with room, taking pairings back if that helps."""
    best: dict[int, tuple[int, list[Step]]] = {start: (0, [])}  # by short
    reached: dict[int, tuple[int, list[Step]]] = {}  # by column
    improving = True
    while improving:
        improving = False
        for short, (length, path) in list(best.items()):
            for column in range(len(room)):
                along = length + cost[short][column]
                if column not in reached or along < reached[column][0]:
                    reached[column] = (along, [*path, (short, column, True)])
                    improving = True
        for column, (length, path) in list(reached.items()):
            for short in range(len(cost)):
                back = length - cost[short][column]
                if flow[short][column] and (short not in best or back < best[short][0]):
                    best[short] = (back, [*path, (short, column, False)])
                    improving = True
    column = min((column for column in reached if room[column]), key=lambda c: (reached[c][0], c))
    length, path = reached[column]
    amounts = [flow[short][back] for short, back, forward in path if not forward]
    return length, path, min(wanted, room[column], *amounts)
