"""What comes out of a bar: the deal after it, everything that happened, and whether the bar left a doubt."""

import msgspec

from streams.engine.dca.deal import Deal
from streams.engine.dca.events import Closed, Command, DealEvent, Dust


class Settlement(msgspec.Struct, frozen=True):
    """`ambiguous`: the other order of the bar's extremes would have given another result (law 8). `commands`: what a
    venue is still to be told; on paper nothing is left.
    """

    deal: Deal
    events: tuple[DealEvent, ...]
    ambiguous: bool = False
    commands: tuple[Command, ...] = ()


def consequences(before: Deal, after: Deal) -> tuple[DealEvent, ...]:
    """What a step of the machine entailed beyond the order's own event: dust booked off, the deal closed."""
    out: list[DealEvent] = []
    instrument, ledger = after.terms.instrument, after.ledger
    dust = ledger.dust_lots - before.ledger.dust_lots
    if dust:
        cost = ledger.entry_quote * dust // ledger.entry_lots
        out.append(Dust(instrument.quantity(dust), instrument.quote(cost)))
    if after.closed and not before.closed and after.reason is not None:
        out.append(Closed(after.reason, after.profit))
    return tuple(out)
