"""The pure engine: prices, matching, re-pricing, risk, margin, fees, settlement and the step.

Imports nothing but the standard library, reads no clock, draws no random number and does no I/O.
Money is integer cents; where a mid needs it, half-cents. A package price is signed from our side:
a debit is positive, a credit negative, so "worse for us" is always up (domain.md section 5).

To read it: market, pricing, packages; orders, execution, repricing; portfolio, margin,
buying_power; intents, placement, decisions; exits, risk, entries, ending; and step, which puts them
in order. docs/engine.md has the picture.
"""

# Bumped whenever a stored golden day changes (tests/engine/golden): an older session is another's.
ENGINE_VERSION = "2"
