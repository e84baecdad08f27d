"""A venue with a market behind it: triggers become orders, and what comes of them is told later, by reports.

A bar is first settled as on paper: that says which levels its path met. What was met is then sent, and nothing is
booked before the venue says so. Where the path met an exit too, only the exit is sent: nothing is bought into a deal
that is to be left.

    base, close, stop   at the market           safety order   limit at its level, rests
    take profit         limit at its target, immediate or cancel: never below it, and the stop stays in sight
"""

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine import dca
from streams.engine.dca import (
    Command,
    Deal,
    DealEvent,
    EntryRefused,
    Instrument,
    OrderAccepted,
    OrderFilled,
    Settlement,
    Skipped,
    Triggered,
    UnexpectedEvent,
    VenueEvent,
    consequences,
)


class Live:
    """A `Venue` whose orders leave through the gateway. Pure. Spot: only what is owned can be sold."""

    live = True

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Settlement:
        """The deal with its base order placed. Raises EntryRefused, for what paper refuses and for shorts."""
        if config.side == "short":
            raise EntryRefused("side", "on a spot venue nothing can be sold that is not owned")
        rehearsed = dca.open_deal(config, symbol, instrument, trigger)
        base = next(event for event in rehearsed.events if isinstance(event, OrderFilled))
        deal = dca.new_deal(config, symbol, instrument, trigger)
        deal, commands = dca.apply(deal, Triggered(base.level, base.price))
        return Settlement(deal, (), commands=commands)

    def settle(self, deal: Deal, trigger: Trigger) -> Settlement:
        """The deal with the orders placed that the bar's path met."""
        rehearsed = dca.settle(deal, trigger)
        met, events = _met(rehearsed), [e for e in rehearsed.events if isinstance(e, Skipped)]
        left = rehearsed.deal.status in {"closing", "closed"} and deal.status in {"opening", "open"}
        if left:
            events += [
                Skipped(t.level, "the same bar met an exit: nothing is bought any more") for t in met[:-1]
            ]
            met = [Triggered(met[-1].level, met[-1].price, rehearsed.deal.reason)] if met else []
        return self._placed(deal, met, events, rehearsed.ambiguous)

    def report(self, deal: Deal, event: VenueEvent) -> Settlement:
        """The deal after what the venue said. Raises DealError or OffGrid where it contradicts the deal."""
        after, commands = dca.apply(deal, event)
        return Settlement(after, (event, *consequences(deal, after)), commands=commands)

    def _placed(self, deal: Deal, met: list[Triggered], events: list[Skipped], ambiguous: bool) -> Settlement:
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
        return Settlement(deal, (*told, *events), ambiguous, tuple(sent))


def _met(rehearsed: Settlement) -> list[Triggered]:
    """The levels that the rehearsal filled, in the order of the path, at the prices that it expected."""
    prices = {event.level: event.price for event in rehearsed.events if isinstance(event, OrderFilled)}
    taken = [event.level for event in rehearsed.events if isinstance(event, OrderAccepted)]
    return [Triggered(level, prices[level]) for level in taken if level in prices]
