"""Where orders go: the port of a venue, the paper venue, and those that are live."""

from typing import Protocol

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine.dca import Instrument, VenueEvent
from streams.engine.kinds import AnyDeal, AnySettlement


class Venue(Protocol):
    """Turns a trigger into orders and tells what became of them: at once, or (`live`) when reports come."""

    @property
    def live(self) -> bool:
        """Do orders leave, and are answered later?"""

    @property
    def name(self) -> str:
        """What the database remembers: deals of one venue are not gone on with at another."""

    def open(self, config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> AnySettlement:
        """The deal that an entry opens. Raises EntryRefused where it cannot be opened at this price."""

    def add(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """`deal` with one more base order (a periodic bot's). Raises EntryRefused where it cannot be made."""

    def settle(self, deal: AnyDeal, trigger: Trigger) -> AnySettlement:
        """The deal after the bar of `trigger`. Raises DealError for a trigger that contradicts the deal."""

    def report(self, deal: AnyDeal, event: VenueEvent) -> AnySettlement:
        """The deal after what a live venue said of an order. Raises DealError where it contradicts the deal."""
