"""What every message shares: immutability, a `type` on the wire, and the scalar words of the domain."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """A value on a topic. Frozen: a new one is derived with `msgspec.structs.replace`, never edited."""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a message; it carries no `type` of its own."""


# `$` alone would also match before a newline at the end.
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@-]*$(?!\n)"
DECIMAL_PATTERN = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$(?!\n)"
SYMBOL_PATTERN = r"^[A-Z0-9][A-Z0-9._:-]*$(?!\n)"
_SYMBOL = Meta(pattern=SYMBOL_PATTERN, max_length=32, description="venue symbol, e.g. BTCUSDT")

Symbol = Annotated[str, _SYMBOL]
BotId = Annotated[str, Meta(pattern=ID_PATTERN, max_length=64)]
UserId = Annotated[str, Meta(pattern=ID_PATTERN, max_length=64)]
AlertId = Annotated[str, Meta(pattern=ID_PATTERN, max_length=128)]
GroupId = Annotated[
    str,
    Meta(min_length=1, max_length=256, description="{bot_id}/{symbol}/entry or {bot_id}/{symbol}/{deal_id}"),
]
Tag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)",
        max_length=32,
        description="which of a user's channels: those with one of the tags",
    ),
]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999, description="epoch milliseconds, UTC")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
PositiveCount = Annotated[int, Meta(ge=1, le=2**53)]
Decimals = Annotated[
    str,
    Meta(
        pattern=DECIMAL_PATTERN,
        max_length=37,
        description="non-negative decimal, as a string",
    ),
]
SignedDecimals = Annotated[
    str,
    Meta(
        pattern=r"^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,26})?$(?!\n)",
        max_length=54,
        description="decimal, as a string",
    ),
]
