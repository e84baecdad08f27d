"""A venue with a market behind it: triggers become orders, and what comes of them is told later, by reports.

A bar is first settled as on paper: that says which levels its path met. What was met is then sent, and nothing is
booked before the venue says so. Where the path met an exit too, only the exit is sent: nothing is bought into a deal
that is to be left.

    base, close, stop, trail   at the market       safety order   limit at its level, rests
    take profit                limit at its target, immediate or cancel: never below it, and the stop stays in sight
"""

from typing import Final

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine import dca
from streams.engine.dca import (
    CancelOrder,
    Command,
    Deal,
    DealError,
    DealEvent,
    EntryRefused,
    Instrument,
    Merged,
    OrderAccepted,
    OrderFilled,
    Settlement,
    Skipped,
    StopTimer,
    Triggered,
    UnexpectedEvent,
    VenueEvent,
    consequences,
)
from streams.engine.dca.machine import is_entry
from streams.engine.kinds import AnyDeal

_LEFT: Final = "the same bar met an exit: all is sold, nothing is bought any more"


class Live:
    """A `Venue` whose orders leave through the gateway. Pure. Spot: only what is owned can be sold."""

    live = True

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Settlement:
        """The deal with its base order placed. Raises EntryRefused as paper does, and for grids and shorts."""
        if config.kind == "grid":
            raise EntryRefused("kind", "grids trade on paper only: this venue takes no grid orders yet")
        if config.side == "short":
            raise EntryRefused("side", "on a spot venue nothing can be sold that is not owned")
        rehearsed = dca.open_deal(config, symbol, instrument, trigger)
        return _placed(dca.new_deal(config, symbol, instrument, trigger), _met(rehearsed), [])

    def add(self, deal: AnyDeal, trigger: Trigger) -> Settlement:
        """`deal` with one more base order placed. Raises EntryRefused as paper does, and before the first is filled."""
        deal = _ladder(deal)
        try:
            return _placed(deal, _met(dca.add_base(deal, trigger)), [])
        except UnexpectedEvent as unexpected:
            raise EntryRefused("state", unexpected.reason) from unexpected

    def settle(self, deal: AnyDeal, trigger: Trigger) -> Settlement:
        """The deal with the orders placed that the bar's path met."""
        deal = _ladder(deal)
        rehearsed = dca.settle(deal, trigger)
        met = _met(rehearsed)
        told: list[DealEvent] = [e for e in rehearsed.events if isinstance(e, Skipped | StopTimer)]
        out = _way_out(deal, met)
        if out is not None:
            told += [
                Skipped(other.level, _LEFT)
                for other in met
                if other.level != out.level and is_entry(other.level)
            ]
            met = [replace(out, reason=rehearsed.deal.reason)]
        return replace(_placed(_followed(deal, rehearsed.deal), met, told), ambiguous=rehearsed.ambiguous)

    def report(self, deal: AnyDeal, event: VenueEvent) -> Settlement:
        """The deal after what the venue said. Raises DealError or OffGrid where it contradicts the deal."""
        deal = _ladder(deal)
        after, commands = dca.apply(deal, event)
        return Settlement(after, (event, *consequences(deal, after)), commands=commands)


def _ladder(deal: AnyDeal) -> Deal:
    if isinstance(deal, Deal):
        return deal
    raise DealError(f"{deal.deal_id}: a grid has no orders at a venue")


def _met(rehearsed: Settlement) -> list[Triggered]:
    """What the rehearsal filled, in the order of the path, at the prices that it expected."""
    limits = {event.level: event.price for event in rehearsed.events if isinstance(event, OrderAccepted)}
    merged = [event for event in rehearsed.events if isinstance(event, Merged)]
    return [
        Triggered(
            event.level,
            event.price,
            at_market=limits.get(event.level) is None and not _always_market(event.level),
            merges=tuple(one.level for one in merged if one.into == event.level),
        )
        for event in rehearsed.events
        if isinstance(event, OrderFilled)
    ]


def _always_market(level: str) -> bool:
    return level.startswith("base") or level == "close"


def _way_out(deal: Deal, met: list[Triggered]) -> Triggered | None:
    """The first that closes the deal: what is left over after it is the machine's business."""
    last_target = f"tp_{len(deal.terms.targets)}"
    return next((one for one in met if one.level in {"sl", "close", last_target}), None)


def _followed(deal: Deal, rehearsed: Deal) -> Deal:
    """`deal` with its trails and its stop's timer where the bar left them."""
    return replace(
        deal,
        stop_since_ms=rehearsed.stop_since_ms,
        stop_trail=rehearsed.stop_trail,
        target_trail=rehearsed.target_trail,
    )


def _placed(deal: Deal, met: list[Triggered], events: list[DealEvent]) -> Settlement:
    told: list[DealEvent] = []
    sent: list[Command] = []
    for trigger in met:
        try:
            after, commands = dca.apply(deal, trigger)
        except UnexpectedEvent as unexpected:
            told.append(Skipped(trigger.level, unexpected.reason))
            continue
        told += consequences(deal, after)
        sent += commands
        deal = after
    # What is withdrawn is withdrawn before anything else is sent.
    sent.sort(key=lambda command: not isinstance(command, CancelOrder))
    return Settlement(deal, (*told, *events), commands=tuple(sent))
