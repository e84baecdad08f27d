"""Can it be paid? Decided apart from any database, on a purse and what the venue would do."""

from decimal import Decimal
from typing import NamedTuple

from sinks.capital.holding import Reserve, planned, spent
from sinks.capital.purse import Purse
from streams.engine.dca import Deal, OrderFilled
from streams.engine.dca.deal import is_safety
from streams.engine.dca.money import EXACT, text
from streams.engine.kinds import AnyDeal, AnySettlement


class Unpaid(NamedTuple):
    """What cannot be paid: it `needs` so much, and so much is `free` for it."""

    level: str
    needs: Decimal
    free: Decimal
    asset: str

    @property
    def reason(self) -> str:
        return f"needs {text(self.needs)} {self.asset}, {text(self.free)} is free"


def cannot_open(purse: Purse, deal: AnyDeal, reserve: Reserve) -> Unpaid | None:
    """Why a new deal is refused: its base order and what it is to set aside are more than is free."""
    needs = EXACT.add(spent(deal), planned(deal, reserve))
    return Unpaid("base", needs, purse.free, purse.asset) if needs > purse.free else None


def first_unpaid(
    purse: Purse, before: AnyDeal, reserved: Decimal, settlement: AnySettlement
) -> Unpaid | None:
    """The first entry of a settlement that is more than what is free and what the deal has set aside. What exits of the
    same bar brought before it counts, for a long. A grid has set aside all that it can ever need.
    """
    if not isinstance(before, Deal):
        return None
    free = EXACT.add(purse.free, reserved)
    for event in settlement.events:
        if not isinstance(event, OrderFilled):
            continue
        if event.side == before.entry_side:
            needs = EXACT.add(event.quote, event.fee)
            if needs > free:
                return Unpaid(event.level, needs, free, purse.asset)
            free = EXACT.subtract(free, needs)
        elif before.terms.long:
            free = EXACT.add(free, EXACT.subtract(event.quote, event.fee))
    return None


def set_aside(
    purse: Purse, before: AnyDeal | None, reserved: Decimal, after: AnyDeal, reserve: Reserve
) -> Decimal:
    """What the deal has set aside from now on: what it is to, as far as it is free."""
    gone = EXACT.subtract(spent(after), spent(before)) if before is not None else spent(after)
    free = EXACT.subtract(EXACT.add(purse.free, reserved), gone)
    return max(min(planned(after, reserve), free), Decimal(0))


def may_be_skipped(unpaid: Unpaid) -> bool:
    """A safety order may; without its base order there is no deal."""
    return is_safety(unpaid.level)
