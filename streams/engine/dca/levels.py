"""The levels a deal waits for, in the order in which they win a tie: stop, safety orders, targets."""

from typing import Literal, NamedTuple

from schemas.alerts import ActionType
from schemas.conditions import Side
from streams.engine.dca.deal import STOP, TARGET, Deal
from streams.engine.dca.money import Number

Kind = Literal["sl", "dca", "tp"]


class LevelOrder(NamedTuple):
    """A level at `ticks`, touched from `side`. `number` counts safety orders or targets from 1."""

    name: str
    kind: Kind
    number: int
    ticks: int
    side: Side

    def met_at(self, price: Number) -> bool:
        """Touch is inclusive."""
        return price <= self.ticks if self.side == "below" else price >= self.ticks

    def way_from(self, price: Number) -> Number:
        """How far the market is from meeting it; 0 where it is met."""
        if self.met_at(price):
            return 0
        return price - self.ticks if self.side == "below" else self.ticks - price


ACTIONS: dict[Kind, ActionType] = {"sl": "stop_loss", "dca": "execute_dca", "tp": "take_profit"}


def levels(deal: Deal) -> tuple[LevelOrder, ...]:
    """What can still be met; nothing while an exit works or when the deal is closed."""
    if deal.status not in {"opening", "open"}:
        return ()
    adverse: Side = "below" if deal.terms.long else "above"
    favourable: Side = "above" if deal.terms.long else "below"
    out: list[LevelOrder] = []
    if (stop := deal.stop_loss_ticks) is not None:
        out.append(LevelOrder(STOP, "sl", 0, stop, adverse))
    if deal.status == "open":
        for number, order in enumerate(deal.entries[1:], start=1):
            if order.state == "armed" and order.ticks is not None:
                out.append(LevelOrder(order.level, "dca", number, order.ticks, adverse))
    if (target := deal.take_profit_ticks) is not None:
        out.append(LevelOrder(TARGET, "tp", 1, target, favourable))
    return tuple(out)
