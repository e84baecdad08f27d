"""A deal told as a story: candles in; fills, what was skipped, doubtful bars and the end out."""

from decimal import Decimal
from typing import NamedTuple

from schemas.bots import BotConfig
from schemas.triggers import Bar
from streams.engine.dca import Closed, DealEvent, Instrument, OrderFilled, Skipped
from tests.streams.engine.dca.support import TENTHS, bar, events, run


class Story(NamedTuple):
    """`candles`: open high low close, a line each; the deal opens at the close of the first one.

    `fills`: bar's number, level, side, quantity, price, fee (if any). `ends`: why the deal closed ("" while
    it is open), `profit`: what it brought, `holds`: what is held at the end, `ambiguous`: such bars.
    """

    title: str
    bot: BotConfig
    candles: str
    fills: str
    ends: str = ""
    profit: str = ""
    holds: str = "0"
    skipped: str = ""
    ambiguous: str = ""
    instrument: Instrument = TENTHS
    close_at: int | None = None


def _candles(table: str) -> list[Bar]:
    rows = [[float(cell) for cell in line.split()] for line in table.strip().splitlines()]
    return [bar(*row, number=number) for number, row in enumerate(rows)]


def _fills(story: Story) -> list[tuple[int, str, str, Decimal, Decimal, Decimal]]:
    rows = [line.split() for line in story.fills.strip().splitlines()]
    return [
        (int(number), level, side, Decimal(quantity), Decimal(price), Decimal(fee[0]) if fee else Decimal(0))
        for number, level, side, quantity, price, *fee in rows
    ]


def tell(story: Story) -> list[tuple[int, DealEvent]]:
    """Run the story, hold it against its table, and hand back all that was told."""
    settled = run(story.bot, _candles(story.candles), instrument=story.instrument, close_at_ms=story.close_at)
    told, deal = events(settled), settled[-1][1].deal

    fills = [(number, event) for number, event in told if isinstance(event, OrderFilled)]
    assert [(n, e.level, e.side, e.quantity, e.price, e.fee) for n, e in fills] == _fills(story)
    assert all(event.quote == event.quantity * event.price for _, event in fills)
    skipped = [f"{n} {event.level} {event.reason}" for n, event in told if isinstance(event, Skipped)]
    assert "; ".join(skipped) == story.skipped
    assert " ".join(str(number) for number, settlement in settled if settlement.ambiguous) == story.ambiguous

    closed = [(event.reason, str(event.profit)) for _, event in told if isinstance(event, Closed)]
    assert closed == ([(story.ends, story.profit)] if story.ends else [])
    assert deal.status == ("closed" if story.ends else "open")
    assert deal.terms.instrument.quantity(deal.ledger.position) == Decimal(story.holds)
    return told
