"""`strikeline backtest`: what bots would have done over candles from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.errors import Exit
from streams.cli.output import JsonFlag, note, print_json, print_table

if TYPE_CHECKING:
    from streams.cli.backtesting.working import Report

SHOWN_ROWS = 10
Funding = Annotated[
    float,
    typer.Option(metavar="PERCENT", help="Per 8 h on open positions: in the equity, not in the ledger."),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check", help="Run it again: without the future, with less past, the other way along bars."
    ),
]


def backtest(
    klines: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Parquet or CSV with symbol, open_time, open, high, low, close, volume; a folder, or a glob.",
        ),
    ],
    bots: Annotated[Path, typer.Option(metavar="FILE", help="YAML with one bot or several.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for report.html, summary.json and the tables.")
    ],
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
    report: Annotated[bool, typer.Option(help="Write report.html, one page with charts.")] = True,
    funding: Funding = 0.0,
    check: Check = False,
    json: JsonFlag = False,
) -> None:
    """Replay candles against bots: the triggers, fills and deals that the live pipeline would have had.

    Broken rows are reported, counted and left out; exit code 1 says that there were any, or that --check saw a bot
    look into the future.
    """
    from streams.cli.backtesting.asked import Settings
    from streams.cli.backtesting.run import run
    from streams.cli.progress import progress
    from streams.cli.times import parse_time

    settings = Settings(
        klines=klines, bots=bots, instruments=instruments, interval=interval, fill_up_to=fill_up_to, jobs=jobs,
        from_ms=None if from_ is None else parse_time(from_, "--from"),
        to_ms=None if to is None else parse_time(to, "--to"), capital=capital, report=report,
        check=check, funding=funding,
    )  # fmt: skip
    with progress("backtest", None, show=not json) as tell:
        found = run(settings, out, tell)
    show(found, out, json=json, page=report)
    if not found.sound:
        raise typer.Exit(Exit.PROBLEM)


def show(report: "Report", out: Path, *, json: bool, page: bool = True) -> None:
    """The remarks, and a line a bot. `page`: there is a report.html."""
    for line in [*report.checks, *report.notes[:SHOWN_ROWS]]:
        note(line)
    if len(report.notes) > SHOWN_ROWS:
        note(f"and {len(report.notes) - SHOWN_ROWS:,} more such remarks")
    if json:
        print_json(report.summary)
    else:
        print_table(
            ("bot", "triggers", "fills", "deals", "closed", "won", "profit", "safety orders", "walked"),
            [
                (b["bot_id"], b["triggers"], b["fills"], b["deals"], b["closed_deals"], b["won"], b["profit"],
                 b["most_safety_orders"], b["walked"])
                for b in report.summary["bots"]
            ],
            right=("triggers", "fills", "deals", "closed", "won", "profit", "safety orders"),
        )  # fmt: skip
        if alerts := report.summary.get("alerts"):
            fires = sum(alert["fires"] for alert in alerts)
            print(f"{len(alerts):,} alerts of users fired {fires:,} times")
        where = f"report: {out / 'report.html'}" if page else f"written to {out}"
        print(f"{report.summary['bars']:,} bars, {report.summary['seconds']:.2f} s; {where}")
