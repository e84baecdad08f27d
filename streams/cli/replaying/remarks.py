"""What a replay of recorded bots and alerts cannot say, in sentences."""

from collections.abc import Callable, Iterator, Sequence

from schemas.bots import BotConfig
from streams.cli.backtesting.candles import Loaded
from streams.cli.replaying.alerts import Scripts
from streams.cli.replaying.configs import Life, Lives
from streams.cli.times import show_time


def about_bots(
    bots: Lives, lives: Sequence[Life], loaded: Loaded, lost: Callable[[str], bool]
) -> Iterator[str]:
    """`lives`: those that are replayed; `lost`: whether the beginning of a symbol's klines is gone."""
    yield from (f"{line}: refused then, and left out" for line in bots.refused)
    replayed = {life.bot_id: life for life in lives}
    for life in bots.lives:
        if life.bot_id not in replayed:
            yield f"{life.bot_id}: not replayed: no candles of its pairs while it was in force"
            continue
        if life.first_revision > 1:
            yield (
                f"{life.bot_id}: the first known revision is {life.first_revision}: earlier ones have been compacted "
                "away, and what they did is not replayed"
            )
        if missing := [symbol for symbol in life.symbols if symbol not in loaded.candles]:
            yield f"{life.bot_id}: no candles of {', '.join(missing)}"
        yield from _before_the_candles(life, loaded, lost)
    unplaced = [life.bot_id for life in lives if len(life.changes) > 1 and life.bot_id in bots.unplaced]
    if unplaced:
        yield (
            f"{', '.join(unplaced[:5])}{' …' if len(unplaced) > 5 else ''}: the executor's inbox (--database) does not "
            "tell when configs were decided: they come when they say that they take effect, and where they raced with "
            "triggers ids may have other generations than recorded"
        )


def _before_the_candles(life: Life, loaded: Loaded, lost: Callable[[str], bool]) -> Iterator[str]:
    config = life.changes[0].incoming.message
    since = config.effective_from_ms if isinstance(config, BotConfig) else None
    for symbol in life.symbols:
        candles = loaded.candles.get(symbol)
        if candles is not None and lost(symbol):
            first_ms = int(candles.open_ms[0])
            if (since if since is not None else life.changes[0].at_ms) < first_ms:
                yield (
                    f"{life.bot_id}: in force before the first candle of {symbol} that there is, at "
                    f"{show_time(first_ms)}: deals from before are not known"
                )


def about_alerts(
    alerts: Scripts, loaded: Loaded, lost: Callable[[str], bool], *, topic_lost: bool
) -> Iterator[str]:
    """The same for users' alerts. `topic_lost`: the beginning of their topic is gone."""
    yield from (f"{line}: dead-lettered then, and left out" for line in alerts.refused)
    if topic_lost:
        yield "the alerts' topic has lost its beginning: alerts that were set before are not replayed"
    commands = alerts.commands
    if missing := sorted({symbol for symbol, _, _ in commands if symbol not in loaded.candles}):
        yield f"alerts of {', '.join(missing)}: not replayed: there are no candles"
    on_tick = {(symbol, name) for (symbol, name, _), command in commands.items() if command.on == "tick"}
    if on_tick:
        yield (
            f"{len(on_tick):,} alerts on tick fire at closes here: bars that were still forming are not replayed"
        )
    older = [
        name
        for (symbol, name, _), command in commands.items()
        if symbol in loaded.candles
        and lost(symbol)
        and (command.effective_from_ms or 0) < int(loaded.candles[symbol].open_ms[0])
    ]
    if older:
        yield f"{len(older):,} alerts are older than their first candle: their fires are counted from there"
