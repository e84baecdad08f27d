"""DCA bots: exact money, the ladder, the deal and how a bar settles it. Pure; live and backtest share it."""

from streams.engine.dca.arming import (
    alert_prefix,
    deal_group,
    deal_group_id,
    deal_prefix,
    entry_group,
    entry_group_id,
    remove_group,
)
from streams.engine.dca.booking import fill
from streams.engine.dca.deal import Deal
from streams.engine.dca.entry import EntryInvalid, accumulates, is_due_anew
from streams.engine.dca.errors import DealError, EntryRefused, UnexpectedEvent
from streams.engine.dca.events import (
    CancelOrder,
    Closed,
    Command,
    DealEvent,
    DealInput,
    Dust,
    Merged,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    Skipped,
    StopTimer,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.machine import apply
from streams.engine.dca.members import deal_members
from streams.engine.dca.money import OffGrid
from streams.engine.dca.money import text as decimal_text
from streams.engine.dca.opening import add_base, deal_id_of, new_deal, open_deal
from streams.engine.dca.orders import Ledger, Order
from streams.engine.dca.preview import Preview, preview
from streams.engine.dca.reinvest import reinvested
from streams.engine.dca.rows import Row
from streams.engine.dca.settlement import Settlement, consequences
from streams.engine.dca.terms import Terms
from streams.engine.dca.validation import Problem, problems
from streams.engine.dca.view import average_price, held, open_deal_view
from streams.engine.dca.walk import settle, walk

__all__ = [
    "CancelOrder",
    "Closed",
    "Command",
    "Deal",
    "DealError",
    "DealEvent",
    "DealInput",
    "Dust",
    "EntryInvalid",
    "EntryRefused",
    "Instrument",
    "Ledger",
    "Merged",
    "OffGrid",
    "Order",
    "OrderAccepted",
    "OrderCancelled",
    "OrderFilled",
    "OrderRejected",
    "PlaceOrder",
    "Preview",
    "Problem",
    "Row",
    "Settlement",
    "Skipped",
    "StopTimer",
    "Terms",
    "Triggered",
    "UnexpectedEvent",
    "VenueEvent",
    "accumulates",
    "add_base",
    "alert_prefix",
    "apply",
    "average_price",
    "consequences",
    "deal_group",
    "deal_group_id",
    "deal_id_of",
    "deal_members",
    "deal_prefix",
    "decimal_text",
    "entry_group",
    "entry_group_id",
    "fill",
    "held",
    "is_due_anew",
    "new_deal",
    "open_deal",
    "open_deal_view",
    "preview",
    "problems",
    "reinvested",
    "remove_group",
    "settle",
    "walk",
]
