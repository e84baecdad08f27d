"""What a bot does not pay in a backtest and would pay on a market, and steps that are no venue's."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

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


def unknown_instruments(file: Path | None, known: Collection[str], symbols: Collection[str]) -> Iterator[str]:
    """A line for every symbol that the instruments' file leaves out: the executor takes the same steps for it."""
    if file is None:
        return
    for symbol in sorted(set(symbols) - set(known)):
        yield (
            f"{symbol} is not in {file}: ticks and lots of 1e-8 and no minimum notional, "
            "which no venue has; name it there"
        )
