"""What a desk decided, as the rows of a backtest."""

from decimal import Decimal

from streams.cli.backtesting.desk import Desk
from streams.engine.backtest.result import BotResult, FillRow, deal_row


def result_of(desk: Desk, bot_id: str, walked: str) -> BotResult:
    """All of one bot, in order of event time."""
    deals = {name: held for name, held in desk.deals.items() if held.deal.bot_id == bot_id}
    rows = [
        deal_row(held.deal, held.fills, held.ambiguous_bars, held.closed_at_ms) for held in deals.values()
    ]
    fills = [
        FillRow(
            bot_id, deals[fill.deal_id].deal.symbol, fill.deal_id, fill.level, fill.generation, fill.position,
            fill.trigger_id, fill.at_ms, fill.side, Decimal(fill.price), Decimal(fill.quantity), Decimal(fill.quote),
            Decimal(fill.fee), Decimal(fill.fee_base),
        )
        for fill in desk.fills
        if fill.deal_id in deals
    ]  # fmt: skip
    told = [(t, o) for t, o in zip(desk.triggers, desk.outcomes, strict=True) if t.bot_id == bot_id]
    triggers = [trigger for trigger, _ in told]
    return BotResult(bot_id, walked, triggers, [outcome for _, outcome in told], fills, rows)
