"""What a deal waits for on a bar's path: levels, in the order in which they win a tie (stop, safety orders, targets),
and trails.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from schemas.alerts import ActionType, TrailState
from schemas.conditions import Side, Trail
from streams.engine.dca.deal import Deal
from streams.engine.dca.money import Number, text
from streams.engine.dca.orders import STOP

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


class TrailOrder(NamedTuple):
    """A level that follows the price, and its state before the next bar."""

    name: str
    kind: Kind
    number: int
    trail: Trail
    start: TrailState


ACTIONS: dict[Kind, ActionType] = {"sl": "stop_loss", "dca": "execute_dca", "tp": "take_profit"}
_LIVE = {"opening", "open"}


def levels(deal: Deal) -> tuple[LevelOrder, ...]:
    """What can still be met; nothing while the exit works or when the deal is closed."""
    if deal.status not in _LIVE:
        return ()
    adverse = adverse_side(deal)
    out: list[LevelOrder] = []
    if not _timed(deal) and (stop := deal.stop_loss_ticks) is not None:
        out.append(LevelOrder(STOP, "sl", 0, stop, adverse))
    if deal.status == "open" and not deal.terms.safety_condition:
        out.extend(safety_levels(deal))
    out.extend(target for target in targets(deal) if not _trails(deal, target))
    return tuple(out)


def trails(deal: Deal) -> tuple[TrailOrder, ...]:
    """The trailing stop, and the last target where it trails; from the end of the base order on."""
    if deal.status != "open" or (deal.stop_trail is None and _trailing(deal) is None):
        return ()
    out: list[TrailOrder] = []
    below: Side = "below" if deal.terms.long else "above"
    if deal.stop_trail is not None and deal.terms.stop_loss is not None:
        out.append(
            TrailOrder(STOP, "sl", 0, Trail(deal.terms.stop_loss.percent, None, below), deal.stop_trail)
        )
    for target in targets(deal):
        if _trails(deal, target):
            from_price = text(deal.terms.instrument.price(target.ticks))
            trail = Trail(_trailing(deal) or "", from_price, below)
            out.append(TrailOrder(target.name, "tp", target.number, trail, deal.target_trail or TrailState()))
    return tuple(out)


def safety_levels(deal: Deal) -> Iterator[LevelOrder]:
    """The safety orders that wait now, at most `max_active_safety_orders`; with a condition the next one only."""
    terms, ladder, side = deal.terms, deal.ladder, adverse_side(deal)
    room = 1 if terms.safety_condition else terms.max_active_safety_orders
    if room is None:
        room = len(ladder)
    else:
        room -= sum(1 for order in ladder if order.working)
    for number, order in enumerate(ladder, start=1):
        if room > 0 and order.state == "armed" and order.ticks is not None:
            room -= 1
            yield LevelOrder(order.level, "dca", number, order.ticks, side)


def targets(deal: Deal) -> Iterator[LevelOrder]:
    """The take-profit steps that are waited for; only a single one before the base order is done."""
    favourable: Side = "above" if deal.terms.long else "below"
    waiting = deal.open_targets
    if deal.status == "opening" and len(deal.terms.targets) > 1:
        return
    for target in waiting:
        if (ticks := deal.target_ticks(target)) is not None:
            yield LevelOrder(f"tp_{target.number}", "tp", target.number, ticks, favourable)


def stop_level(deal: Deal) -> LevelOrder | None:
    """The stop that closes beyond it are timed against; None where it acts at once, or there is none."""
    if deal.status not in _LIVE or not _timed(deal) or (ticks := deal.stop_loss_ticks) is None:
        return None
    return LevelOrder(STOP, "sl", 0, ticks, adverse_side(deal))


def adverse_side(deal: Deal) -> Side:
    """From where stops and safety orders are met."""
    return "below" if deal.terms.long else "above"


def _timed(deal: Deal) -> bool:
    stop = deal.terms.stop_loss
    return stop is not None and stop.timeout_s > 0


def _trailing(deal: Deal) -> str | None:
    return None if deal.terms.take_profit is None else deal.terms.take_profit.trailing


def _trails(deal: Deal, target: LevelOrder) -> bool:
    return _trailing(deal) is not None and target.number == len(deal.terms.targets)
