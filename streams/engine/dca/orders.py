"""An order of a deal and the deal's ledger, in whole ticks, lots, tick×lots and fee units. Frozen."""

from typing import Final, Literal

import msgspec

from streams.engine.dca.events import OrderSide

BASE: Final = "base"
STOP: Final = "sl"
CLOSE: Final = "close"
PARTS: Final = 10**8
"""A lot in parts: what a fee in base takes, and what is left of a lot then, is counted in them."""

OrderState = Literal["armed", "placed", "accepted", "filled", "cancelled", "rejected", "merged", "skipped"]
_WORKING: Final = {"placed", "accepted"}


def is_safety(level: str) -> bool:
    """Is it a safety order's level?"""
    return level.startswith("dca_")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the deal. An `armed` one waits for its level; `ticks` is None for a market order.

    `merged`: it was bought with a later one of the ladder. `skipped`: a target too small to be sent.
    """

    level: str
    side: OrderSide
    lots: int
    ticks: int | None = None
    state: OrderState = "armed"
    filled_lots: int = 0
    filled_quote: int = 0
    fills: int = 0

    @property
    def working(self) -> bool:
        return self.state in _WORKING


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all fills: entries (buys of a long, sells of a short), exits, fees in 1e-8 quote.

    `base_fees`: what fees in base took of the entries, `dust_parts`: what was booked off beside whole lots, both in
    parts of a lot (`PARTS`).
    """

    entry_lots: int = 0
    entry_quote: int = 0
    exit_lots: int = 0
    exit_quote: int = 0
    fees: int = 0
    dust_lots: int = 0
    base_fees: int = 0
    dust_parts: int = 0

    @property
    def held_parts(self) -> int:
        """What is held (owed, for a short), in parts of a lot."""
        whole = self.entry_lots - self.exit_lots - self.dust_lots
        return whole * PARTS - self.base_fees - self.dust_parts

    @property
    def position(self) -> int:
        """Whole lots held (owed, for a short)."""
        return self.held_parts // PARTS
