"""The configurations of a sweep: made, refused or accepted, and ranked."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from streams.cli.backtesting.desk import Desk, Refused
from streams.cli.backtesting.sweeping.figures import Figures
from streams.cli.backtesting.sweeping.space import Setting
from streams.cli.backtesting.sweeping.sweepfile import SweepFile
from streams.cli.errors import Invalid

MOST: Final = 200_000
"""Configurations of one sweep: each is kept in memory with its figures."""


class Trial(NamedTuple):
    """A configuration that the executor accepts, with what it came to."""

    number: int
    setting: Setting
    bot: BotConfig
    figures: Figures | None = None

    def value(self, objective: str) -> float | None:
        """What it is ranked by."""
        found = getattr(self.figures, objective)
        return None if found is None else float(found)


class Unfit(NamedTuple):
    """A configuration that a bot file's checks or the executor's refuse."""

    number: int
    setting: Setting
    reason: str


class Trials(NamedTuple):
    """All of a sweep. `repeated`: settings that were drawn or written again, which count once."""

    fit: list[Trial]
    unfit: list[Unfit]
    repeated: int


def trials(file: SweepFile, draws: int | None, seed: int, rules: Rules) -> Trials:
    """The grid, or `draws` from it. Raises Invalid where nothing can be tried."""
    seen: dict[str, Setting] = {}
    repeated = 0
    for setting in _settings(file, draws, seed):
        repeated += seen.setdefault(repr(setting), setting) is not setting
    made = Trials([], [], repeated)
    for number, setting in enumerate(seen.values()):
        bot = _accepted(file.configuration(setting), rules)
        if isinstance(bot, str):
            made.unfit.append(Unfit(number, setting, bot))
        else:
            made.fit.append(Trial(number, setting, bot))
    if not made.fit:
        raise Invalid(f"{file.place}: every configuration is refused; the first: {made.unfit[0].reason}")
    return made


def rank(found: Iterable[Trial], objective: str) -> list[Trial]:
    """Best first; those whose objective has no value last; equal ones in the order of their numbers."""

    def place(trial: Trial) -> tuple[bool, float, int]:
        value = trial.value(objective)
        return value is None, -(value or 0.0), trial.number

    return sorted(found, key=place)


def with_figures(some: Sequence[Trial], figures: Sequence[Figures]) -> list[Trial]:
    """The same trials, with what they came to."""
    return [trial._replace(figures=made) for trial, made in zip(some, figures, strict=True)]


def _settings(file: SweepFile, draws: int | None, seed: int) -> Iterable[Setting]:
    size = file.space.size
    if draws is None and size is None:
        raise Invalid(f"{file.place}: sweep: a parameter is uniform: say how many to draw with --draws")
    count = draws if draws is not None else size or 0
    if count > MOST:
        hint = "" if draws else "; draw some of them with --draws"
        raise Invalid(f"{file.place}: sweep: {count:,} configurations, more than {MOST:,}{hint}")
    return file.space.grid() if draws is None else file.space.draws(draws, seed)


def _accepted(made: BotConfig | str, rules: Rules) -> BotConfig | str:
    if isinstance(made, str):
        return made
    try:
        Desk(rules).accept(made)
    except Refused as why:
        return str(why).removeprefix(f"{made.bot_id}: ")
    return made
