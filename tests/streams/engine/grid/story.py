"""A grid told as a story: candles in; fills, round trips, what was skipped and the end out."""

from decimal import Decimal
from typing import NamedTuple

from schemas.bots import BotConfig
from schemas.triggers import Bar
from streams.engine.dca import Closed, Instrument, OrderFilled, Skipped
from streams.engine.grid import Deal, GridEvent, Kept, RoundTrip, Woken, armed
from tests.streams.engine.dca.support import bar
from tests.streams.engine.grid.support import TENTHS, events, run


class Story(NamedTuple):
    """`candles`: open high low close, a line each; the grid starts at the close of the first one.

    `fills`: bar's number, level, side, quantity, price, fee (if any). `trips`: what each brought. `armed`: levels that
    buy, a bar, levels that sell, at the end. `profit`: sells − buys − fees so far, with what was kept at its price.
    """

    title: str
    bot: BotConfig
    candles: str
    fills: str
    armed: str = ""
    trips: str = ""
    ends: str = ""
    profit: str = "0"
    holds: str = "0"
    kept: str = ""
    woken: str = ""
    skipped: str = ""
    ambiguous: str = ""
    instrument: Instrument = TENTHS
    close_at: int | None = None
    keep: bool = False


def candles(story: Story) -> list[Bar]:
    """The bars of a story."""
    rows = [[float(cell) for cell in line.split()] for line in story.candles.strip().splitlines()]
    return [bar(*row, number=number) for number, row in enumerate(rows)]


def expected_fills(story: Story) -> list[tuple[int, str, str, Decimal, Decimal, Decimal]]:
    """The fills of a story's table."""
    rows = [line.split() for line in story.fills.strip().splitlines()]
    return [
        (int(number), level, side, Decimal(quantity), Decimal(price), Decimal(fee[0]) if fee else Decimal(0))
        for number, level, side, quantity, price, *fee in rows
    ]


def shown_orders(deal: Deal) -> str:
    """ "1 2 | 4 5": the levels that buy and those that sell."""
    orders = [order for order in armed(deal) if not order.stop]
    if not orders:
        return ""
    sides = ("below", "above")
    return " | ".join(" ".join(str(o.level) for o in orders if o.side == side) for side in sides).strip()


def tell(story: Story) -> list[tuple[int, GridEvent]]:
    """Run the story, hold it against its table, and hand back all that was told."""
    settled = run(
        story.bot, candles(story), instrument=story.instrument, close_at_ms=story.close_at, keep=story.keep
    )
    told, deal = events(settled), settled[-1][1].deal

    fills = [(number, event) for number, event in told if isinstance(event, OrderFilled)]
    assert [(n, e.level, e.side, e.quantity, e.price, e.fee) for n, e in fills] == expected_fills(story)
    assert all(event.quote == event.quantity * event.price for _, event in fills)
    trips = [str(event.profit) for _, event in told if isinstance(event, RoundTrip)]
    assert " ".join(trips) == story.trips
    assert deal.trips == len(trips)
    assert deal.grid_profit == sum(map(Decimal, trips), Decimal(0))
    assert " ".join(f"{e.quantity}@{e.price}" for _, e in told if isinstance(e, Kept)) == story.kept
    assert " ".join(f"{n}:{e.level}" for n, e in told if isinstance(e, Woken)) == story.woken
    skipped = [f"{n} {event.level} {event.reason}" for n, event in told if isinstance(event, Skipped)]
    assert "; ".join(skipped) == story.skipped
    assert " ".join(str(number) for number, settlement in settled if settlement.ambiguous) == story.ambiguous

    assert [event.reason for _, event in told if isinstance(event, Closed)] == story.ends.split()
    assert deal.status == ("closed" if story.ends else "open")
    assert deal.profit == Decimal(story.profit)
    assert deal.terms.instrument.quantity(deal.ledger.position) == Decimal(story.holds)
    assert shown_orders(deal) == story.armed
    return told
