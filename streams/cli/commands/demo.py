"""`strikeline demo`: the whole pipeline on one machine, then a report."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.context import Context, place
from streams.cli.output import JsonFlag


def demo(
    ctx: Context,
    klines: Annotated[
        Path | None, typer.Option(help="A parquet or CSV file instead of the simulated market.")
    ] = None,
    symbols: Annotated[str, typer.Option(help="The simulated market's symbols.")] = "BTCUSDT,ETHUSDT,SOLUSDT",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same deals.")] = 7,
    minutes: Annotated[int, typer.Option(min=200, help="Minutes of simulated market.")] = 1_440,
    speed: Annotated[
        str | None,
        typer.Option(help="max, or a multiple of real time; default 3000 simulated, max for a file."),
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Without a broker, in one process.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Run everything for a minute: Kafka, evaluator, executor, a feed and three bots; then show their deals.

    Starts Apache Kafka on this machine unless --bootstrap names a broker; where there is none, all parts run
    in this process. Ends everything that it started, on Ctrl-C too.
    """
    from streams.cli.demo.plan import recorded, simulated
    from streams.cli.demo.run import run_demo
    from streams.cli.symbols import symbols_of

    if klines is None:
        plan = simulated(tuple(symbols_of(symbols)), seed, minutes, speed or "3000")
    else:
        plan = recorded(klines, speed or "max")
    run_demo(place(ctx), plan, json=json, in_process=in_process)
