"""A whole backtest: files in, results and their files out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.cli.backtesting.asked import Settings, begin_of, check_times, instruments_of
from streams.cli.backtesting.candles import Loaded, load
from streams.cli.backtesting.desk import Desk, Refused
from streams.cli.backtesting.pool import Work
from streams.cli.backtesting.working import Done, Report, run_work
from streams.cli.botfile import read_bots
from streams.cli.errors import Invalid


def run(settings: Settings, out: Path, tell: Callable[[float, str], None]) -> Report:
    """Backtest and write. Raises Invalid for anything that is wrong with what was given."""
    bots = bots_of(settings)
    tell(0, "reading candles")
    pairs = {symbol for bot in bots for symbol in bot.pairs}
    loaded = load(settings.klines, pairs, settings.interval, settings.to_ms, settings.fill_up_to)
    return run_loaded(settings, bots, loaded, out, tell).report


def bots_of(settings: Settings) -> list[BotConfig]:
    """The bots to run. Raises Invalid where there are none, or the times make no sense."""
    bots = [] if settings.bots is None else read_bots(settings.bots)
    if not bots:
        raise Invalid(f"{settings.bots}: no bots")
    check_times(settings)
    return bots


def run_loaded(
    settings: Settings, bots: Sequence[BotConfig], loaded: Loaded, out: Path, tell: Callable[[float, str], None],
    notes: Sequence[str] = (),
) -> Done:  # fmt: skip
    """The same on candles that were read already. Raises Invalid. `notes` come before all others."""
    from_ms = begin_of(settings, loaded)
    work = Work(
        [_in_force(bot, from_ms) for bot in bots], instruments_of(settings.instruments), settings.interval
    )
    _refuse(work)
    return run_work(settings, work, loaded, out, tell, notes)


def _in_force(bot: BotConfig, from_ms: int) -> BotConfig:
    """From the backtest's start on, unless it says later itself."""
    return replace(bot, effective_from_ms=max(from_ms, bot.effective_from_ms or 0))


def _refuse(work: Work) -> None:
    """Every bot that the executor would refuse, a line each."""
    wrong = []
    for bot in work.bots:
        try:
            Desk(work.rules).accept(bot)
        except Refused as why:
            wrong.append(str(why))
    if wrong:
        raise Invalid("\n".join(wrong))
