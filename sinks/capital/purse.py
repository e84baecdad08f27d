"""One user's money in one quote asset."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec.structs import replace

from streams.engine.dca.money import EXACT

ZERO: Final = Decimal(0)


class Purse(msgspec.Struct, frozen=True):
    """`start` was given, `realized` earned by closed deals, `held` is what open deals have spent and set aside."""

    user_id: str
    asset: str
    start: Decimal
    realized: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """What a new deal may take."""
        return EXACT.subtract(EXACT.add(self.start, self.realized), self.held)

    def holding(self, change: Decimal) -> "Purse":
        """With so much more (or less) held."""
        return replace(self, held=EXACT.add(self.held, change))

    def earned(self, profit: Decimal) -> "Purse":
        """With a closed deal's profit."""
        return replace(self, realized=EXACT.add(self.realized, profit))


Purses = Mapping[str, Purse]
"""A user's purses by asset."""

NO_PURSES: Final[Purses] = MappingProxyType({})
