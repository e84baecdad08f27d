"""Where orders go: the port of a venue, and the paper venue."""

from typing import Protocol

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine.dca import Instrument
from streams.engine.kinds import AnyDeal, AnySettlement


class Venue(Protocol):
    """Turns a trigger into orders and tells what became of them."""

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> AnySettlement:
        """The deal that an entry opens. Raises EntryRefused where it cannot be opened at this price."""

    def add(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """`deal` with one more base order (a periodic bot's). Raises EntryRefused where it cannot be made."""

    def settle(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """The deal after the bar of `trigger`. Raises DealError for a trigger that contradicts the deal."""
