"""What a bot does not pay in a backtest and would pay on a market."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from schemas.bots import BotConfig


def free_of_charge(bots: Sequence[BotConfig], funding: float = 0.0) -> Iterator[str]:
    """A line for every bot whose fee or slippage is zero; and where funding (percent per 8 hours) is counted."""
    if funding:
        yield (
            f"funding of {funding:g} % per 8 h on open positions is in the equity and its figures, "
            "not in deals, profits and the ledger"
        )
    for bot in bots:
        if not Decimal(bot.fee):
            yield f"{bot.bot_id}: fee is 0: no venue is free, and every fill gets better by it"
        if not Decimal(bot.slippage):
            yield (
                f"{bot.bot_id}: slippage is 0: stops and market orders fill at the price they want, "
                "which a market does not give"
            )
