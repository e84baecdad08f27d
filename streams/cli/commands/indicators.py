"""`strikeline indicators`: what there is, and its values over a file of klines."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.errors import Exit, Invalid
from streams.cli.output import JsonFlag, note, print_json, print_table

app = typer.Typer(help="Indicators: what there is, and their values over a file.", no_args_is_help=True)

SHOWN_ROWS = 10


@app.command("list")
def list_(json: JsonFlag = False) -> None:
    """Every indicator with its parameters and outputs, and the bar from which each output may fire."""
    from streams.cli.indicator_list import described

    rows = described()
    if json:
        print_json(rows)
        return
    print_table(
        ("indicator", "parameters", "outputs (ready from bar)", "seed", "ta's functions"),
        [
            (
                row["name"],
                ", ".join(f"{p['name']}={p['default']:g}" for p in row["params"]),
                ", ".join(f"{o['name']} ({o['ready']})" for o in row["outputs"]),
                row["auto_seed"],
                ", ".join(row["functions"]),
            )
            for row in rows
        ],
    )


@app.command()
def compute(
    expressions: Annotated[
        list[str], typer.Argument(metavar="EXPRESSION…", help='Such as "rsi(14)" or "macd(26, 12, 9)".')
    ],
    klines: Annotated[
        Path, typer.Option(help="Parquet or CSV: symbol, open_time, open, high, low, close, volume.")
    ],
    out: Annotated[Path, typer.Option(help="Where the values go: a .parquet or .csv file.")],
    symbols: Annotated[
        list[str] | None, typer.Option("--symbol", help="Only this one; may be given again.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Fold the bars first, as the engine does.")] = None,
    seed: Annotated[
        str, typer.Option(help="auto (TradingView's), sma, or first (ta's), where an expression says none.")
    ] = "auto",
    interval: Annotated[str, typer.Option(help="Length of the file's bars.")] = "1m",
    fill_up_to: Annotated[
        int, typer.Option(min=0, help="Gaps up to so many bars are filled flat; those bars are not written.")
    ] = 5,
    json: JsonFlag = False,
) -> None:
    """Write symbol, open_time and one column per output; empty where an indicator is not defined.

    Where two expressions have an output of the same name, its columns are called EXPRESSION.OUTPUT. Broken rows of
    the file are reported, counted and left out; exit code 1 says that there were any.
    """
    from streams.cli.indicator_values import asked_for, write_values
    from streams.feeds.files import FileProblem, read_klines

    if out.suffix not in {".parquet", ".csv"}:
        raise Invalid(f"--out: {out.name} ends in {out.suffix or 'nothing'}; .parquet and .csv are written")
    asked = asked_for(expressions, timeframe, seed, interval)
    try:
        file = read_klines(klines, interval=interval, symbols=symbols or ())
    except (FileProblem, ValueError) as wrong:
        raise Invalid(str(wrong)) from None
    for row in file.broken[:SHOWN_ROWS]:
        note(f"{klines}: {row}; left out")
    if len(file.broken) > SHOWN_ROWS:
        note(f"{klines}: and {len(file.broken) - SHOWN_ROWS:,} more broken rows")
    written = write_values(asked, file, fill_up_to, out)
    for line in written.notes:
        note(line)
    if json:
        print_json(written.to_json() | {"out": str(out), "broken_rows": len(file.broken)})
    else:
        print(
            f"{written.rows:,} rows of {len(written.symbols)} symbols to {out}: {', '.join(written.columns)}"
        )
    if file.broken:
        raise typer.Exit(Exit.PROBLEM)
