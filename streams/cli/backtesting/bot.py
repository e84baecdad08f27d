"""One bot's backtest, as fast as its settings allow: compiled, else from event to event, else bar by bar."""

from collections.abc import Iterator, Mapping, Sequence

from schemas.bots import BotConfig
from schemas.market import Kline
from sinks.executor.decision import Rules
from streams.cli.backtesting.desk import Desk
from streams.cli.backtesting.jumps import Jumps
from streams.cli.backtesting.replay import replay
from streams.cli.backtesting.results import result_of
from streams.cli.replaying.configs import Change, symbols_of
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import BarByBar, Finder
from streams.engine.backtest.result import BotResult
from streams.engine.backtest.sprint import compiled_result
from streams.engine.bars import COLUMNS
from streams.feeds.ticks import Boundary, boundaries


def run_bot(config: BotConfig, finders: Mapping[str, Finder], rules: Rules) -> BotResult:
    """The result of `config`, which says from when it is in force, over the candles that there are of its pairs. Raises
    Refused for one the executor would refuse.
    """
    own = {symbol: finders[symbol] for symbol in config.pairs if symbol in finders}
    reason = "several pairs"
    desk = Desk(rules)
    commands = desk.accept(config)
    if len(config.pairs) == 1:
        symbol = config.pairs[0]
        result = compiled_result(config, rules.instrument(symbol), own[symbol])
        if isinstance(result, BotResult):
            return result
        reason = result
    try:
        Jumps(desk, own).run(commands)
    except BarByBar as why:
        return _bar_by_bar(config, own, rules, str(why))
    return result_of(desk, config.bot_id, f"from event to event because: {reason}")


def _bar_by_bar(config: BotConfig, finders: Mapping[str, Finder], rules: Rules, reason: str) -> BotResult:
    desk = Desk(rules)
    candles = [finder.candles for finder in finders.values()]
    replay(desk, desk.accept(config), feed(candles), rules.base_interval, candles[0].fill_up_to)
    return result_of(desk, config.bot_id, f"bar by bar because: {reason}")


def run_changed(
    changes: Mapping[str, Sequence[Change]], candles: Mapping[str, Candles], rules: Rules
) -> dict[str, BotResult]:
    """Bots whose users gave them several configs, by name, all in one walk: edits arm groups anew while they watch,
    which no finder knows of. Raises Refused for a config that the executor would refuse.
    """
    desk = Desk(rules)
    every = sorted((change for own in changes.values() for change in own), key=lambda change: change.at_ms)
    own = [candles[symbol] for symbol in symbols_of(every) if symbol in candles]
    replay(desk, (), feed(own), rules.base_interval, own[0].fill_up_to, every)
    return {
        bot_id: result_of(desk, bot_id, f"bar by bar because: {len(own):,} configs, one after another")
        for bot_id, own in changes.items()
    }


def feed(candles: list[Candles]) -> Iterator[Boundary]:
    """The bars of several symbols as a feed sends them, and the ticks after the last one."""
    every = sorted((kline for one in candles for kline in _klines(one)), key=_place)
    last_ms = 0
    for boundary in boundaries(every, candles[0].interval):
        last_ms = boundary.time_ms
        yield boundary
    for time_ms in range(last_ms + candles[0].step_ms, candles[0].ticks_until_ms + 1, candles[0].step_ms):
        yield Boundary(time_ms, ())


def _place(kline: Kline) -> tuple[int, str]:
    return kline.open_time_ms, kline.symbol


def _klines(candles: Candles) -> Iterator[Kline]:
    rows = candles.columns[:COLUMNS].T.tolist()
    for row, (open_ms, (o, h, low, c, v)) in enumerate(zip(candles.open_ms.tolist(), rows, strict=True)):
        if row not in candles.is_filled:
            yield Kline(
                symbol=candles.symbol, interval=candles.interval, open_time_ms=open_ms, open=o, high=h, low=low,
                close=c, volume=v, feed="backtest",
            )  # fmt: skip
