"""A sweep's files: every configuration as parquet, both sides of every window, the summary, the best bot's file."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
import polars as pl
import yaml

from streams.cli.backtesting.sweeping.figures import Figures
from streams.cli.backtesting.sweeping.forward import Forward
from streams.cli.backtesting.sweeping.outcome import Outcome
from streams.cli.backtesting.writing import MONEY

_KINDS: Final = {Decimal: MONEY, float: pl.Float64, int: pl.Int64, str: pl.String}
FIGURES: Final[dict[str, Any]] = {
    name: next(column for kind, column in _KINDS.items() if hint in (kind, kind | None))
    for name, hint in get_type_hints(Figures).items()
}
RESERVED: Final = frozenset(FIGURES) | {"number", "rank", "refused", "fold", "sample", "from_ms", "to_ms"}
"""Names of columns, which no placeholder can have."""


def write(outcome: Outcome, summary: Mapping[str, Any], folder: Path) -> None:
    """`sweep.parquet`, `walk_forward.parquet` where there are windows, `summary.json`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    configurations(outcome).write_parquet(folder / "sweep.parquet")
    forward = folder / "walk_forward.parquet"
    forward.unlink(missing_ok=True)  # of an earlier sweep
    if outcome.forward is not None:
        both_sides(outcome.names, outcome.forward).write_parquet(forward)
    text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    (folder / "summary.json").write_bytes(text + b"\n")


def configurations(outcome: Outcome) -> pl.DataFrame:
    """A row for each configuration: number, rank from 1 and figures, or why it was refused."""
    ranked, unfit = outcome.ranked, outcome.unfit
    settings = [trial.setting for trial in ranked] + [one.setting for one in unfit]
    none: list[None] = [None] * len(unfit)
    return pl.DataFrame(
        [
            pl.Series("number", [t.number for t in ranked] + [u.number for u in unfit], pl.Int64),
            pl.Series("rank", [*range(1, len(ranked) + 1), *none], pl.Int64),
            *_parameters(outcome.names, settings),
            *_figures([*(trial.figures for trial in ranked), *none]),
            pl.Series("refused", [*[None] * len(ranked), *(one.reason for one in unfit)], pl.String),
        ]
    )


def both_sides(names: Sequence[str], forward: Forward) -> pl.DataFrame:
    """A row for each window, side (`in`, `out`) and configuration."""
    parts = []
    for number, (chosen, sides) in enumerate(zip(forward.chosen, forward.figures, strict=True), 1):
        for sample, span, found in zip(("in", "out"), chosen.window, sides, strict=True):
            own = pl.DataFrame([*_parameters(names, forward.settings), *_figures(found)])
            parts.append(
                own.select(
                    pl.lit(number, pl.Int64).alias("fold"),
                    pl.lit(sample).alias("sample"),
                    pl.lit(span.from_ms, pl.Int64).alias("from_ms"),
                    pl.lit(span.to_ms, pl.Int64).alias("to_ms"),
                    pl.all(),
                )
            )
    return pl.concat(parts)


def _parameters(names: Sequence[str], settings: Sequence[Sequence[Any]]) -> list[pl.Series]:
    return [_parameter(name, [setting[place] for setting in settings]) for place, name in enumerate(names)]


def _parameter(name: str, values: list[Any]) -> pl.Series:
    """Numbers where all are, else text; parts of a bot as JSON."""
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return pl.Series(name, values, pl.Int64)
    numbers = [_as_number(value) for value in values]
    if None not in numbers:
        return pl.Series(name, numbers, pl.Float64)
    texts = [
        value if isinstance(value, str) else None if value is None else msgspec.json.encode(value).decode()
        for value in values
    ]
    return pl.Series(name, texts, pl.String)


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _figures(found: Sequence[Figures | None]) -> list[pl.Series]:
    return [
        pl.Series(name, [None if one is None else getattr(one, name) for one in found], kind, strict=True)
        for name, kind in FIGURES.items()
    ]


def bot_file(fields: Mapping[str, Any], notes: Sequence[str]) -> str:
    """A bot as `backtest`, `bots preview` and `bots apply` read it; notes as comments."""
    said = "".join(f"# {note}\n" for note in notes)
    return said + yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True)
