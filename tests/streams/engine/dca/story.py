"""Holding a story against the engine alone: the deal, its levels and the walk, with no pipeline around them."""

from streams.engine.dca import Closed, DealEvent, OrderFilled, Skipped
from tests.stories.story import Row, Story
from tests.streams.engine.dca.support import events, run


def tell(story: Story) -> list[tuple[int, DealEvent]]:
    """Run the story, hold it against its table, and hand back all that was told."""
    settled = run(story.bot, story.bars, instrument=story.instrument, close_at_ms=story.close_at)
    told, deal = events(settled), settled[-1][1].deal

    fills = [(number, event) for number, event in told if isinstance(event, OrderFilled)]
    assert [_row(*fill) for fill in fills] == story.rows
    assert all(event.quote == event.quantity * event.price for _, event in fills)
    skipped = [f"{n} {event.level} {event.reason}" for n, event in told if isinstance(event, Skipped)]
    assert "; ".join(skipped) == story.skipped
    assert " ".join(str(number) for number, settlement in settled if settlement.ambiguous) == story.ambiguous

    closed = [(event.reason, str(event.profit)) for _, event in told if isinstance(event, Closed)]
    assert closed == ([(story.ends, story.profit)] if story.ends else [])
    assert deal.status == ("closed" if story.ends else "open")
    assert str(deal.terms.instrument.parts(deal.ledger.held_parts)) == story.holds
    return told


def _row(number: int, fill: OrderFilled) -> Row:
    return Row(number, fill.level, fill.side, fill.quantity, fill.price, fill.fee, fill.fee_base)
