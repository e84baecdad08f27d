"""The paper venue: every order is accepted and filled at once, at the price the engine's rules give it.

Settlement is pure and belongs to the engine, so that a backtest gives the same fills; here it is only called.
"""

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine import kinds
from streams.engine.dca import Instrument, UnexpectedEvent, VenueEvent
from streams.engine.kinds import AnyDeal, AnySettlement


class Paper:
    """A `Venue` without a market behind it."""

    live = False
    name = "paper"

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> AnySettlement:
        """A market order at the bar's close, with slippage; a grid may need none."""
        return kinds.open_deal(config, symbol, instrument, trigger)

    def add(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """Another market order at the bar's close, with slippage."""
        return kinds.add_base(deal, trigger)

    def settle(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """Walk the bar: levels in the order of its path, then what was decided at its close."""
        return kinds.settle(deal, trigger)

    def report(self, deal: AnyDeal, event: VenueEvent) -> AnySettlement:
        """Nothing happens later. Raises UnexpectedEvent."""
        raise UnexpectedEvent(deal.deal_id, event, "orders on paper are filled at once")
