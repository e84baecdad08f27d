"""Exact amounts as people read them; --json and the database have the exact value."""

from decimal import Context, Decimal


def short(amount: str | Decimal | None, digits: int = 8) -> str | None:
    """At most `digits` significant digits, no exponent, no trailing zeros."""
    if amount is None:
        return None
    rounded = Context(prec=digits).create_decimal(amount)
    return f"{rounded.normalize():f}"


def money(amount: str | Decimal | None) -> str | None:
    """Quote currency to the hundredth."""
    return None if amount is None else f"{Decimal(amount):,.2f}"
