"""Exact amounts as people read them; --json and the database have the exact value."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

_HUNDREDTH: Final = Decimal("0.01")
_WIDE: Final = Context(prec=200)


def short(amount: str | Decimal | None, digits: int = 8) -> str | None:
    """At most `digits` significant digits, no exponent, no trailing zeros."""
    if amount is None:
        return None
    rounded = Context(prec=digits).create_decimal(amount)
    return f"{rounded.normalize():f}"


def money(amount: str | Decimal | None) -> str | None:
    """Quote currency to the hundredth, a half to the even one, whatever a library made of the thread's own context."""
    return None if amount is None else f"{Decimal(amount).quantize(_HUNDREDTH, ROUND_HALF_EVEN, _WIDE):,}"
