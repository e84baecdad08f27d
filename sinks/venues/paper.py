"""The paper venue: every order is accepted and filled at once, at the price the engine's rules give it.

Settlement is pure and belongs to the engine, so that a backtest gives the same fills; here it is only called.
"""

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine import dca
from streams.engine.dca import Deal, Instrument, Settlement, UnexpectedEvent, VenueEvent


class Paper:
    """A `Venue` without a market behind it."""

    live = False
    name = "paper"

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Settlement:
        """A market order at the bar's close, with slippage."""
        return dca.open_deal(config, symbol, instrument, trigger)

    def add(self, deal: Deal, trigger: Trigger) -> Settlement:
        """Another market order at the bar's close, with slippage."""
        return dca.add_base(deal, trigger)

    def settle(self, deal: Deal, trigger: Trigger) -> Settlement:
        """Walk the bar: levels in the order of its path, then what was decided at its close."""
        return dca.settle(deal, trigger)

    def report(self, deal: Deal, event: VenueEvent) -> Settlement:
        """Nothing happens later. Raises UnexpectedEvent."""
        raise UnexpectedEvent(deal.deal_id, event, "orders on paper are filled at once")
