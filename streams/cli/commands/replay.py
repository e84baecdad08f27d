"""`strikeline replay`: what bots would have done over the klines of a topic."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.commands.backtest import show
from streams.cli.context import Context, place
from streams.cli.errors import Exit, Invalid, Problem
from streams.cli.output import JsonFlag, note
from streams.cli.progress import progress
from streams.cli.times import parse_time


def replay(
    ctx: Context,
    bots: Annotated[Path, typer.Option(metavar="FILE", help="YAML with one bot or several.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for report.html, summary.json and the tables.")
    ],
    topic: Annotated[
        str | None, typer.Option(metavar="NAME", help="The kline topic; default: the namespace's own.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Bots see bars from then on.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="T", help="Bars that open before that.")] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="Read klines from then on, so that indicators are ready; default: all."
        ),
    ] = None,
    instruments: Annotated[
        Path | None, typer.Option(help="Tick, lot and minimum notional by symbol; default tick and lot 1e-8.")
    ] = None,
    interval: Annotated[str, typer.Option(help="Length of the topic's bars.")] = "1m",
    fill_up_to: Annotated[int, typer.Option(min=0, help="Gaps up to so many bars are filled flat.")] = 5,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    capital: Annotated[
        float | None, typer.Option(min=0.01, help="What returns are measured against.")
    ] = None,
    publish: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Put the triggers on a topic of their own, <triggers topic>.replay.ID."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Replay the klines of a topic against bots: the triggers, fills and deals that the live pipeline would have had.

    All partitions are read in batches and merged in order of event time; what is sent while it reads is left out.
    Live topics are never written to. Exit code 1: some records could not be decoded; they are counted and named.
    """
    from streams.cli.backtesting.recorded import NoName, from_topic, topic_of
    from streams.cli.backtesting.recorded import publish as put
    from streams.cli.backtesting.run import Settings, bots_of, run_loaded
    from streams.cli.kafka import reaching, settings_for
    from streams.feeds.topic import TopicUnreadable

    here = place(ctx)
    kafka, name = settings_for(here.bootstrap), topic or here.topics.klines.name
    settings = Settings(
        klines=name, bots=bots, instruments=instruments, interval=interval, fill_up_to=fill_up_to, jobs=jobs,
        from_ms=None if from_ is None else parse_time(from_, "--from"),
        to_ms=None if to is None else parse_time(to, "--to"), capital=capital,
    )  # fmt: skip
    wanted = bots_of(settings)
    try:
        own = None if publish is None else topic_of(here.topics, publish)
    except NoName as wrong:
        raise Invalid(f"--publish: {wrong}") from None
    since = None if history is None else parse_time(history, "--history")
    with reaching(kafka.bootstrap), progress("replay", None, show=not json) as tell:
        try:
            read = from_topic(kafka, here.topics, name, settings, wanted, since, tell)
        except TopicUnreadable as wrong:
            raise Problem(str(wrong)) from None
        done = run_loaded(settings, wanted, read.loaded, out, tell)
        sent = None if own is None else put(kafka, own, done.results)
    for line in read.notes:
        note(line)
    if own is not None:
        note(f"{sent:,} triggers on {own.name}")
    show(done.report, out, json=json)
    if read.undecodable:
        raise typer.Exit(Exit.PROBLEM)
