"""What one user may have. Whoever takes commands in holds users to it, and names the field and the limit."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.conditions import MAX_NODES


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bots`: ids ever used, deleted ones too. `alerts_per_symbol`: own alerts that are active. `nodes`: of one
    condition (operands, comparisons and what joins them), and of all operands of one message.
    """

    bots: Annotated[int, Meta(ge=0)] = 1_000
    alerts_per_symbol: Annotated[int, Meta(ge=0)] = 1_000
    nodes: Annotated[int, Meta(ge=1)] = MAX_NODES


DEFAULT = Limits()
