"""What happens to a grid beside what happens to any deal."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from streams.engine.dca.events import DealEvent, OrderSide


class RoundTrip(msgspec.Struct, frozen=True, tag_field="type", tag="round_trip"):
    """A cell bought and sold (or sold and bought back) its lots. `level`: of the order that completed the trip;
    `profit` after the fees of both legs, in quote; `number` counts the grid's trips from 1.
    """

    level: str
    side: OrderSide
    profit: Decimal
    number: int


class Kept(msgspec.Struct, frozen=True, tag_field="type", tag="kept"):
    """The grid ended and left its position to the user: booked off at `price`, without a trade. Negative: owed."""

    quantity: Decimal
    price: Decimal
    quote: Decimal


class Woken(msgspec.Struct, frozen=True, tag_field="type", tag="woken"):
    """A level was met where there is nothing to trade yet; from now on the level next to it is armed."""

    level: str
    reason: str


GridEvent: TypeAlias = DealEvent | RoundTrip | Kept | Woken
