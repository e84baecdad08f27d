"""Operands that need more candles than there are: what asks for them is unknown to the end, and never fires."""

from collections.abc import Iterator, Mapping, Sequence

from schemas.bots import BotConfig
from schemas.conditions import Indicator
from schemas.interval import grid
from streams.cli.backtesting.checking.warmup import conditions_of
from streams.engine.backtest.candles import Candles
from streams.engine.conditions.reach import Leaf, leaves
from streams.engine.conditions.resolve import label
from streams.engine.dca.entry import condition_tree
from streams.engine.market.nodes import Node, key_of


def never_ready(bots: Sequence[BotConfig], candles: Mapping[str, Candles]) -> Iterator[str]:
    """A line for every operand of a bot that its symbol's candles are too few for."""
    for bot in bots:
        for symbol in bot.pairs:
            one = candles.get(symbol)
            if one is None:
                continue  # a pair without candles is told elsewhere
            for leaf in _leaves(bot, one.interval):
                needs, there = bars_to_ready(leaf), _bars(one, str(leaf.timeframe))
                if needs > there:
                    yield (
                        f"{bot.bot_id}: {label(leaf, one.interval)} is ready only after {needs:,} bars of "
                        f"{leaf.timeframe}; of {symbol} there are {there:,}: what asks for it never fires"
                    )


def warm_up_ms(bot: BotConfig, interval: str) -> int:
    """How long it takes from the first candle on until all that the entry asks for is ready."""
    needs = (bars_to_ready(leaf) * grid(str(leaf.timeframe))[0] for leaf in _leaves(bot, interval, "entry"))
    return max(needs, default=0)


def bars_to_ready(leaf: Leaf) -> int:
    """Bars of its own timeframe until an operand may be used (law 5); where its values say so themselves, one."""
    if not isinstance(leaf, Indicator):
        return leaf.bars_ago + 1
    key, output = key_of(leaf)
    node = Node(key)
    ready = 1 if node.tells_reach else int(node.ready[node.outputs.index(output)])
    return ready + leaf.bars_ago


def _leaves(bot: BotConfig, interval: str, only: str = "") -> Iterator[Leaf]:
    seen: set[Leaf] = set()
    for raw, field in conditions_of(bot):
        if only in ("", field):
            for leaf in leaves(condition_tree(raw, field, bot.timeframe, interval)):
                if leaf not in seen:
                    seen.add(leaf)
                    yield leaf


def _bars(candles: Candles, timeframe: str) -> int:
    """Bars of a timeframe that close within the candles, the first one perhaps in part."""
    length, shift = grid(timeframe)
    first, end = int(candles.open_ms[0]), int(candles.open_ms[-1]) + candles.step_ms
    return (end - shift) // length - (first - shift) // length
