"""What comes out of a bar: the grid after it, everything that happened, and whether the bar left a doubt."""

import msgspec

from streams.engine.dca.events import Closed, Dust
from streams.engine.grid.cells import cost, held
from streams.engine.grid.deal import Deal
from streams.engine.grid.events import GridEvent, Kept, RoundTrip


class Settlement(msgspec.Struct, frozen=True):
    """`ambiguous`: the other order of the bar's extremes would have given another result (law 8)."""

    deal: Deal
    events: tuple[GridEvent, ...]
    ambiguous: bool = False


def consequences(before: Deal, after: Deal, level: str = "") -> tuple[GridEvent, ...]:
    """What a step of the machine (about the order at `level`) entailed beyond the order's own event."""
    out: list[GridEvent] = []
    instrument, ledger = after.terms.instrument, after.ledger
    if after.trips > before.trips:
        quote, fees = after.trip_quote - before.trip_quote, after.trip_fees - before.trip_fees
        profit = instrument.quote(quote) - instrument.fee(fees)
        sold = ledger.sell_lots > before.ledger.sell_lots
        out.append(RoundTrip(level, "sell" if sold else "buy", profit, after.trips))
    if dust := ledger.dust_lots - before.ledger.dust_lots:
        all_lots = sum(held(after, number) for number, _ in after.numbered())
        out.append(Dust(instrument.quantity(dust), instrument.quote(cost(after) * dust // (all_lots or 1))))
    if kept := ledger.kept_lots - before.ledger.kept_lots:
        price = instrument.price(ledger.kept_quote // kept)
        out.append(Kept(instrument.quantity(kept), price, instrument.quote(ledger.kept_quote)))
    if after.closed and not before.closed and after.reason is not None:
        out.append(Closed(after.reason, after.profit))
    return tuple(out)
