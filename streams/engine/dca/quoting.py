"""A deal as JSON: amounts of money are decimal strings, because quote sums pass 2^53, where readers begin to round."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import msgspec

from streams.engine.dca.money import text


def as_json(deal: msgspec.Struct, money: Collection[str]) -> bytes:
    """All of `deal`; the integers of the fields named in `money` as strings, wherever they stand."""
    return msgspec.json.encode(_quoted(msgspec.to_builtins(deal, builtin_types=(Decimal,)), money))


def _quoted(node: Any, money: Collection[str]) -> Any:
    if isinstance(node, dict):
        return {
            key: str(value) if key in money and isinstance(value, int) else _quoted(value, money)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_quoted(item, money) for item in node]
    return text(node) if isinstance(node, Decimal) else node
