"""The pure engine: prices, matching, re-pricing, risk, margin, fees, settlement and the step.

Imports nothing but the standard library, reads no clock, draws no random number and does no I/O.
Money is integer cents; where a mid needs it, half-cents. A package price is signed from our side:
a debit is positive, a credit negative, so "worse for us" is always up (domain.md section 5).
"""

ENGINE_VERSION = "1"
