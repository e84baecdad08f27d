"""What two runs must agree on (law 12): triggers, fills, deals and ledger, per bot."""

from typing import Any

from streams.cli.backtesting.desk import Desk


def story(desk: Desk) -> dict[str, Any]:
    """Everything that is compared, each in an order that does not depend on how bots interleave."""
    triggers = sorted(desk.triggers, key=lambda t: (t.bot_id, t.symbol, t.generation))
    fills = sorted(desk.fills, key=lambda f: (f.deal_id, f.position))
    ledger = sorted(desk.ledger)
    deals = {
        name: (held.deal, held.fills, held.ambiguous_bars, held.closed_at_ms, held.close_reason)
        for name, held in sorted(desk.deals.items())
    }
    money = {name: (bot.closed_deals, bot.realized_profit) for name, bot in sorted(desk.bots.items())}
    return {"triggers": triggers, "fills": fills, "ledger": ledger, "deals": deals, "money": money}
