"""Errors of a deal.

DealError               what was asked makes no sense for this deal: a defect upstream, stop and look
  └─ UnexpectedEvent    an event that no order of the deal waits for
EntryRefused            the entry cannot be made at this price: answer with an event, arm the entry again
money.OffGrid           an amount between two steps of the instrument
money.OffScale          a price beyond any market's
"""


class DealError(ValueError):
    """The deal and what is asked of it contradict each other."""


class UnexpectedEvent(DealError):
    """An event for an order that does not exist, or not in that state: applied, it would book twice."""

    def __init__(self, deal_id: str, event: object, reason: str) -> None:
        super().__init__(f"{deal_id}: {event}: {reason}")
        self.reason = reason


class EntryRefused(Exception):
    """The deal cannot be opened at this price, nothing was bought. `field` names the setting in the way."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
