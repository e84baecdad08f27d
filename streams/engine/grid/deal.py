"""A grid that runs: a deal of cells, in whole ticks, lots, tick×lots and fee units. Frozen.

Cell `c` lies between the levels `c` and `c + 1`: it buys at the lower one, then sells the same lots at the upper one,
or the other way round. So N levels have N − 1 orders, and one level, near the price, is empty.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

import msgspec

from schemas.bots import ConfigSide
from streams.engine.dca.events import CloseReason, OrderSide
from streams.engine.dca.money import EXACT
from streams.engine.dca.quoting import as_json
from streams.engine.grid.prices import prices, quantities
from streams.engine.grid.terms import Terms

BASE: Final = "base"
CLOSE: Final = "close"
STOP_BELOW: Final = "stop_below"
STOP_ABOVE: Final = "stop_above"

DealStatus = Literal["opening", "open", "closing", "closed"]
CellState = Literal["idle", "buy", "sell"]
OrderState = Literal["waiting", "placed", "accepted", "ended"]
_WORKING: Final = frozenset({"placed", "accepted"})
_MONEY: Final = frozenset({
    "lots", "filled_lots", "filled_quote", "filled_fees", "opened_quote", "opened_fees", "closed_quote", "closed_fees",
    "buy_lots", "buy_quote", "sell_lots", "sell_quote", "fees", "dust_lots", "kept_lots", "kept_quote",
    "trip_quote", "trip_fees",
})  # fmt: skip


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The market order of the start, or the one that ends the grid."""

    level: str
    side: OrderSide
    lots: int
    ticks: int | None = None
    state: OrderState = "placed"
    filled_lots: int = 0
    filled_quote: int = 0
    filled_fees: int = 0
    fills: int = 0

    @property
    def working(self) -> bool:
        return self.state in _WORKING


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`state`: what its order does next. `idle`: it has nothing to sell (a short's: to buy back) yet, and wakes when
    the price meets the level where it would have.

    `filled_lots` of that order are traded already. `opened_…` and `closed_…` are the two legs of its round trip.
    """

    state: CellState
    order: OrderState = "waiting"
    filled_lots: int = 0
    fills: int = 0
    opened_quote: int = 0
    opened_fees: int = 0
    closed_quote: int = 0
    closed_fees: int = 0

    @property
    def working(self) -> bool:
        return self.order in _WORKING


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all fills, fees in 1e-8 quote. Of what was left: `dust` is worth nothing, `kept` was handed over (owed,
    where negative) at its price.
    """

    buy_lots: int = 0
    buy_quote: int = 0
    sell_lots: int = 0
    sell_quote: int = 0
    fees: int = 0
    dust_lots: int = 0
    kept_lots: int = 0
    kept_quote: int = 0

    @property
    def position(self) -> int:
        """Lots held; negative: owed."""
        return self.buy_lots - self.sell_lots - self.dust_lots - self.kept_lots


class Deal(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="grid"):
    """One grid of one bot on one symbol, from its start to its end.

    `start_level` was empty at the start. `price`: where the market was last. `keep`: whether an end that comes from
    outside (the bot was deleted) leaves the position alone. `trip_…`: sums over the `trips` that are complete.
    """

    deal_id: str
    bot_id: str
    user_id: str
    symbol: str
    interval: str
    alert_prefix: str
    opened_at_ms: int
    terms: Terms
    start_level: int
    price: Decimal
    status: DealStatus = "opening"
    reason: CloseReason | None = None
    keep: bool = False
    ledger: Ledger = Ledger()
    cells: tuple[Cell, ...] = ()
    base: Order | None = None
    exit: Order | None = None
    trips: int = 0
    trip_quote: int = 0
    trip_fees: int = 0

    @property
    def side(self) -> ConfigSide:
        return self.terms.side

    @property
    def closed(self) -> bool:
        return self.status == "closed"

    @property
    def prices(self) -> tuple[int, ...]:
        """Ticks of the levels, by number from 1 (the first is at index 0)."""
        return prices(self.terms)

    @property
    def lots(self) -> tuple[int, ...]:
        """Lots of the cells, by number from 1 (the first is at index 0)."""
        return quantities(self.terms)

    def opens_with(self, number: int) -> OrderSide:
        """The first leg of a cell's round trip: `buy` where it may hold, `sell` where it may owe."""
        if self.terms.side == "neutral":
            return "buy" if number < self.start_level else "sell"
        return "buy" if self.terms.side == "long" else "sell"

    def numbered(self) -> Iterator[tuple[int, Cell]]:
        """The cells with their numbers."""
        return enumerate(self.cells, start=1)

    @property
    def profit(self) -> Decimal:
        """Σ sells − Σ buys − fees in quote, exactly; with the price of what was handed over at the end."""
        ledger, instrument = self.ledger, self.terms.instrument
        gain = ledger.sell_quote - ledger.buy_quote + ledger.kept_quote
        return EXACT.subtract(instrument.quote(gain), instrument.fee(ledger.fees))

    @property
    def grid_profit(self) -> Decimal:
        """What the complete round trips brought, after the fees of both legs."""
        instrument = self.terms.instrument
        return EXACT.subtract(instrument.quote(self.trip_quote), instrument.fee(self.trip_fees))

    def to_json(self) -> bytes:
        """All of the deal as JSON; `Deal.from_json(deal.to_json()) == deal`."""
        return as_json(self, _MONEY)

    @staticmethod
    def from_json(data: bytes | str) -> "Deal":
        """Raises msgspec.ValidationError for what `to_json` did not write."""
        return msgspec.json.decode(data, type=Deal, strict=False)
