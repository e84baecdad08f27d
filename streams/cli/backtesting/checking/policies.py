"""Both ways along a bar: a bot under either `intrabar` policy, side by side (law 8).

A bar of a minute does not say whether its low or its high came first. Where that decides what fills, the bar counts as
ambiguous; the two results are what it is worth.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig, Intrabar
from streams.engine.backtest.result import BotResult
from streams.engine.dca import decimal_text

POLICIES: Final[tuple[Intrabar, ...]] = ("pessimistic", "ohlc")


class Outcome(NamedTuple):
    """Of one bot under one policy."""

    profit: Decimal
    deals: int
    fills: int
    ambiguous_bars: int


class Sides(NamedTuple):
    """One bot: the policy it has, and what each comes to."""

    bot_id: str
    has: str
    outcomes: Mapping[str, Outcome]

    def summary(self) -> dict[str, Any]:
        """For `summary.json`; money as decimal text."""
        told = {
            name: {**one._asdict(), "profit": decimal_text(one.profit)} for name, one in self.outcomes.items()
        }
        return {"bot_id": self.bot_id, "intrabar": self.has, **told}


def other_way(bots: Sequence[BotConfig]) -> list[BotConfig]:
    """The same bots, each with the policy that it does not have."""
    return [replace(bot, intrabar=next(name for name in POLICIES if name != bot.intrabar)) for bot in bots]


def side_by_side(
    bots: Sequence[BotConfig], results: Sequence[BotResult], others: Sequence[BotResult]
) -> list[Sides]:
    """`others`: results of `other_way`."""
    found = []
    for bot, result, other in zip(bots, results, others, strict=True):
        made: dict[str, Outcome] = {
            name: _outcome(result if name == bot.intrabar else other) for name in POLICIES
        }
        found.append(Sides(bot.bot_id, bot.intrabar, made))
    return found


def _outcome(result: BotResult) -> Outcome:
    ambiguous = sum(deal.ambiguous_bars for deal in result.deals)
    return Outcome(result.profit, len(result.deals), len(result.fills), ambiguous)
