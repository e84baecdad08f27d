"""`strikeline feed`: klines onto the topic, from files, a simulated market or a live one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.commands.binance import binance
from streams.cli.context import Context, place
from streams.cli.errors import Exit, Invalid
from streams.cli.output import JsonFlag, note, print_json
from streams.cli.symbols import symbols_of
from streams.cli.times import parse_time, show_time

if TYPE_CHECKING:
    from streams.cli.feeding import Fed

app = typer.Typer(
    help="Klines onto the topic: from a file, a simulated market or Binance.", no_args_is_help=True
)

app.command("binance")(binance)

SHOWN_ROWS = 10


@app.command()
def file(
    ctx: Context,
    path: Annotated[
        Path, typer.Argument(help="Parquet or CSV: symbol, open_time, open, high, low, close, volume.")
    ],
    speed: Annotated[
        str, typer.Option(help="max, or a multiple of real time: 60 sends an hour a minute.")
    ] = "max",
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First open time (UTC).")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Open times before this (UTC).")
    ] = None,
    symbols: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    interval: Annotated[str, typer.Option(help="Length of the file's bars.")] = "1m",
    json: JsonFlag = False,
) -> None:
    """Publish the candles of a file in event-time order, with their original times and ticks.

    Broken rows are reported, counted and left out; exit code 1 says that there were any. Mind the topic's
    retention: it counts event time (`topics create --keep-history`).
    """
    from streams.cli.feeding import pace_of, run_feed
    from streams.feeds.files import FileProblem, read_klines

    pace = pace_of(speed)
    first, last = (
        parse_time(text, name) if text else None for text, name in ((from_, "--from"), (to, "--to"))
    )
    try:
        klines = read_klines(path, interval=interval, symbols=symbols_of(symbols), from_ms=first, to_ms=last)
    except (FileProblem, ValueError) as wrong:
        raise Invalid(str(wrong)) from None
    for row in klines.broken[:SHOWN_ROWS]:
        note(f"{path}: {row}; left out")
    if len(klines.broken) > SHOWN_ROWS:
        note(f"{path}: and {len(klines.broken) - SHOWN_ROWS:,} more broken rows")
    here = place(ctx)
    fed = run_feed(
        here.cluster, here.topics.klines.name, "file", klines.boundaries(), pace, len(klines), quiet=json
    )
    report(fed, json, {"feed": "file", "symbols": klines.symbols, "broken_rows": len(klines.broken)})
    if klines.broken:
        raise typer.Exit(Exit.PROBLEM)


@app.command()
def simulate(
    ctx: Context,
    symbols: Annotated[str, typer.Option(help="Separated by commas.")] = "BTCUSDT,ETHUSDT,SOLUSDT",
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same candles.")] = 1,
    minutes: Annotated[
        int | None, typer.Option(min=1, help="How many; without it the feed goes on for ever.")
    ] = None,
    speed: Annotated[str, typer.Option(help="max, live, or a multiple of real time.")] = "live",
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="First open time; default: --history before now."),
    ] = None,
    history: Annotated[
        int, typer.Option(min=0, help="Minutes before now at which it begins, sent at once.")
    ] = 1_440,
    gaps: Annotated[float, typer.Option(min=0.0, max=0.9, help="Chance that a candle is never sent.")] = 0.0,
    volatility: Annotated[
        float, typer.Option(min=0.01, max=20.0, help="Multiplies how far prices move.")
    ] = 1.0,
    json: JsonFlag = False,
) -> None:
    """Publish a SIMULATED market, made up but for its seed: calm and wild hours, jumps, quiet minutes.

    At `--speed live` the candles up to now are sent at once, then one a minute as this machine's clock goes.
    """
    from streams.cli.feeding import pace_of, run_feed
    from streams.feeds.simulator import FEED, Market
    from streams.feeds.simulator import simulate as market_of

    pace = pace_of(speed, live=True)
    start_ms = parse_time(from_, "--from") if from_ else _minutes_ago(history if minutes is None else minutes)
    names = symbols_of(symbols)
    market = _valid(lambda: Market(seed, names, start_ms - start_ms % 60_000, minutes, gaps, volatility))
    here = place(ctx)
    note(f"simulated market, seed {seed}: these prices are made up")
    total = None if minutes is None else minutes * len(names)
    fed = run_feed(here.cluster, here.topics.klines.name, FEED, market_of(market), pace, total, quiet=json)
    report(fed, json, {"feed": FEED, "simulated": True, "seed": seed, "symbols": names})


def _valid(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as wrong:
        raise Invalid(str(wrong)) from None


def _minutes_ago(minutes: int) -> int:
    from time import time

    return (int(time()) // 60 - minutes) * 60_000


def report(fed: "Fed", json: bool, about: dict[str, Any]) -> None:
    """How a feed ended, on standard output."""
    done = fed.published
    if json:
        counts = {
            "klines": done.klines,
            "ticks": done.ticks,
            "first_ms": done.first_ms,
            "last_ms": done.last_ms,
        }
        rate = {"seconds": round(done.seconds, 3), "klines_per_second": round(done.klines_per_second)}
        print_json({**about, **counts, **rate, "interrupted": fed.interrupted})
    else:
        simulated = "simulated " if about.get("simulated") else ""
        stopped = "stopped after " if fed.interrupted else ""
        span = f"{show_time(done.first_ms)} to {show_time(done.last_ms)}"
        print(
            f"{stopped}{done.klines:,} {simulated}klines and {done.ticks:,} ticks "
            f"of {len(about['symbols'])} symbols, {span}, in {done.seconds:.1f} s "
            f"({done.klines_per_second:,.0f} klines/s)"
        )
