"""Grid bots: levels, cells that go round between them, and how a bar settles them. Pure; live and backtest share it."""

from streams.engine.grid.arming import deal_group, deal_members, entry_group
from streams.engine.grid.booking import fill
from streams.engine.grid.deal import Cell, Deal, Ledger, Order
from streams.engine.grid.entry import starts_once
from streams.engine.grid.events import GridEvent, Kept, RoundTrip, Woken
from streams.engine.grid.machine import apply
from streams.engine.grid.opening import new_deal, open_deal
from streams.engine.grid.orders import GridOrder, armed, bounds, waiting
from streams.engine.grid.preview import LevelRow, Preview, preview
from streams.engine.grid.prices import prices, quantities
from streams.engine.grid.settlement import Settlement, consequences
from streams.engine.grid.terms import Terms, terms_of
from streams.engine.grid.validation import net_profits, problems
from streams.engine.grid.view import average_price, invested, open_deal_view
from streams.engine.grid.walk import settle, walk

__all__ = [
    "Cell",
    "Deal",
    "GridEvent",
    "GridOrder",
    "Kept",
    "Ledger",
    "LevelRow",
    "Order",
    "Preview",
    "RoundTrip",
    "Settlement",
    "Terms",
    "Woken",
    "apply",
    "armed",
    "average_price",
    "bounds",
    "consequences",
    "deal_group",
    "deal_members",
    "entry_group",
    "fill",
    "invested",
    "net_profits",
    "new_deal",
    "open_deal",
    "open_deal_view",
    "preview",
    "prices",
    "problems",
    "quantities",
    "settle",
    "starts_once",
    "terms_of",
    "waiting",
    "walk",
]
