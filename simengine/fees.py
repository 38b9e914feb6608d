"""What trading costs: per contract and leg; exercise per instrument (domain.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from simengine.pricing import Legs


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    open_cents: int = 172
    close_cents: int = 72
    exercise_cents: int = 500  # exercise or assignment, per instrument, whatever its quantity

    def per_contract(self, *, opening: bool) -> int:
        return self.open_cents if opening else self.close_cents

    def of_order(self, legs: Legs, units: int, *, opening: bool) -> int:
        contracts = sum(abs(leg.ratio) for leg in legs) * units
        return contracts * self.per_contract(opening=opening)
