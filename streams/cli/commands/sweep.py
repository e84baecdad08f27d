"""`strikeline sweep`: many configurations of one bot over the same candles."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.errors import Exit
from streams.cli.output import JsonFlag, note, print_json, print_table

SHOWN_ROWS = 10

if TYPE_CHECKING:
    from streams.cli.backtesting.sweeping.outcome import Outcome


def sweep(
    klines: Annotated[str, typer.Option(metavar="PATH", help="Candles, as of `backtest`.")],
    bots: Annotated[Path, typer.Option(metavar="FILE", help="YAML with one bot and its `sweep`.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the tables and the best bot's report.")
    ],
    objective: Annotated[
        str,
        typer.Option(
            help="What to rank by: profit, return_ratio, win_rate, profit_factor, expectancy, worst_deal, net_profit, "
            "return_over_drawdown, sharpe or sortino."
        ),
    ] = "profit",
    draws: Annotated[
        int | None, typer.Option(min=1, help="Draw so many configurations; default: the whole grid.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws: the same seed draws the same.")] = 0,
    walk_forward: Annotated[
        int, typer.Option(min=0, metavar="N", help="Choose in-sample, judge out-of-sample, in N windows.")
    ] = 0,
    in_sample: Annotated[
        float, typer.Option(min=0.1, help="In-sample length as a multiple of the out-of-sample one.")
    ] = 3.0,
    anchored: Annotated[bool, typer.Option(help="Every in-sample window begins at --from.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = 10,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="T", help="Bots see bars from then on; earlier ones warm up."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="T", help="Bars that open before that.")] = None,
    instruments: Annotated[
        Path | None, typer.Option(help="Tick, lot and minimum notional by symbol; default tick and lot 1e-8.")
    ] = None,
    interval: Annotated[str, typer.Option(help="Length of the files' bars.")] = "1m",
    fill_up_to: Annotated[int, typer.Option(min=0, help="Gaps up to so many bars are filled flat.")] = 5,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    capital: Annotated[
        float | None,
        typer.Option(min=0.01, help="What returns are measured against; default: the most tied up at once."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Backtest every configuration of a bot's grid, or a number of draws from it, and rank them.

    The more are tried, the better the best one looks by chance alone: --walk-forward tells. Exit code 1: rows of the
    candles were broken, and left out.
    """
    from streams.cli.backtesting.asked import Settings
    from streams.cli.backtesting.sweeping.run import Asked, run
    from streams.cli.progress import progress
    from streams.cli.times import parse_time

    base = Settings(
        klines=klines, bots=bots, instruments=instruments, interval=interval, fill_up_to=fill_up_to, jobs=jobs,
        from_ms=None if from_ is None else parse_time(from_, "--from"),
        to_ms=None if to is None else parse_time(to, "--to"), capital=capital,
    )  # fmt: skip
    asked = Asked(base, objective, draws, seed, top, walk_forward, in_sample, anchored)
    with progress("sweep", 1.0, show=not json) as tell:
        outcome, summary = run(asked, out, tell)
    for line in [*outcome.notes, *outcome.candles[:SHOWN_ROWS]]:
        note(line)
    if len(outcome.candles) > SHOWN_ROWS:
        note(f"and {len(outcome.candles) - SHOWN_ROWS:,} more such rows")
    if json:
        print_json(summary)
    else:
        _print(outcome, summary, top)
        best = out / "best"
        print(
            f"{summary['seconds']:.2f} s; best bot: {out / 'best.yaml'}, its report: {best / 'report.html'}"
        )
    if summary["broken_rows"]:
        raise typer.Exit(Exit.PROBLEM)


def _print(outcome: "Outcome", summary: dict[str, Any], top: int) -> None:
    figures = [
        outcome.objective,
        *(
            name
            for name in ("profit", "max_drawdown", "closed_deals", "win_rate")
            if name != outcome.objective
        ),
    ]
    rows = [
        (rank, *trial.setting, *(_short(getattr(trial.figures, name)) for name in figures))
        for rank, trial in enumerate(outcome.ranked[:top], 1)
    ]
    print_table(("rank", *outcome.names, *figures), rows, right=("rank", *figures))
    for refused in summary["reasons"]:
        print(f"refused, {refused['configurations']:,}: {refused['reason']}")
    if summary["walk_forward"] is not None:
        _print_windows(outcome.names, summary["walk_forward"])


def _print_windows(names: Sequence[str], forward: dict[str, Any]) -> None:
    from streams.cli.times import show_time

    rows = [
        (show_time(one["in_sample_from_ms"]), show_time(one["in_sample_to_ms"]), show_time(one["out_of_sample_to_ms"]),
         *(["–"] * len(names) if one["best"] is None else one["best"].values()),
         *(_short(one[name]) for name in ("in_sample", "out_of_sample", "median_out_of_sample", "rank_out_of_sample")))
        for one in forward["windows"]
    ]  # fmt: skip
    columns = ("in-sample, best", "out-of-sample", "median of all", "its rank")
    print_table(("from", "to", "judged to", *names, *columns), rows, "walk-forward", right=columns)
    total, count = forward["profit_out_of_sample"], forward["compared"]
    print(f"profit out-of-sample, all windows: {total:,.4g}; {count:,} configurations compared in each")


def _short(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:,}" if isinstance(value, int) else f"{float(str(value)):,.4g}"
