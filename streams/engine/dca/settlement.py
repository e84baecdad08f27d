"""What comes out of a bar: the deal after it, everything that happened, and whether the bar left a doubt."""

import msgspec

from streams.engine.dca.deal import PARTS, Deal
from streams.engine.dca.events import Closed, Command, DealEvent, Dust, Merged, Skipped


class Settlement(msgspec.Struct, frozen=True):
    """`ambiguous`: the other order of the bar's extremes would have given another result (law 8). `commands`: what a
    venue is still to be told; on paper nothing is left.
    """

    deal: Deal
    events: tuple[DealEvent, ...]
    ambiguous: bool = False
    commands: tuple[Command, ...] = ()


def consequences(before: Deal, after: Deal) -> tuple[DealEvent, ...]:
    """What a step of the machine entailed beyond the order's own event: orders merged or passed over, dust booked off,
    the deal closed.
    """
    out: list[DealEvent] = [*_merged(before, after), *_passed_over(before, after)]
    instrument, ledger, was = after.terms.instrument, after.ledger, before.ledger
    dust = (ledger.dust_lots - was.dust_lots) * PARTS + ledger.dust_parts - was.dust_parts
    if dust:
        cost = ledger.entry_quote * dust // (ledger.entry_lots * PARTS)
        out.append(Dust(instrument.parts(dust), instrument.quote(cost)))
    if after.closed and not before.closed and after.reason is not None:
        out.append(Closed(after.reason, after.profit))
    return tuple(out)


def _merged(before: Deal, after: Deal) -> list[DealEvent]:
    if before.entries is after.entries or not any(order.state == "merged" for order in after.entries):
        return []
    was = {order.level: order.state for order in before.entries}
    into = next((o.level for o in after.entries if o.state == "placed" and was.get(o.level) == "armed"), "")
    return [
        Merged(order.level, into)
        for order in after.entries
        if order.state == "merged" and was.get(order.level) == "armed"
    ]


def _passed_over(before: Deal, after: Deal) -> list[DealEvent]:
    if before.targets is after.targets:
        return []
    known = {order.level for order in before.targets if order.state == "skipped"}
    return [
        Skipped(order.level, "so little cannot be sold: the last target sells it")
        for order in after.targets
        if order.state == "skipped" and order.level not in known
    ]
