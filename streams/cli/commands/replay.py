"""`strikeline replay`: what bots would have done over the klines of a topic, and what recorded ones did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from streams.cli.commands.backtest import Check, Funding, show
from streams.cli.commands.processes import LimitsFile, rules_of, tiers_of
from streams.cli.context import Context, Place, place
from streams.cli.errors import Exit, Invalid, Problem
from streams.cli.output import JsonFlag, note
from streams.cli.progress import progress
from streams.cli.times import parse_time

if TYPE_CHECKING:
    from streams.cli.backtesting.asked import Settings
    from streams.cli.backtesting.recorded import Read
    from streams.cli.backtesting.working import Done

Tell: TypeAlias = Callable[[float, str], None]


def replay(
    ctx: Context,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for report.html, summary.json and the tables.")
    ],
    bots: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="YAML with one bot or several; default: the bots and alerts that users produced, as they were.",
        ),
    ] = None,
    topic: Annotated[
        str | None, typer.Option(metavar="NAME", help="The kline topic; default: the namespace's own.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="T", help="Bots of a file see bars from then on; of others show those."
        ),
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
            metavar="ID", help="Put triggers and fired alerts on topics of their own, <topic>.replay.ID."
        ),
    ] = None,
    limits: LimitsFile = None,
    funding: Funding = 0.0,
    check: Check = False,
    json: JsonFlag = False,
) -> None:
    """Replay the klines of a topic: the triggers, fills and deals of bots, and what users' alerts fired.

    With --bots the bots of a file. Without it what users really produced: all bots of the configs topic, each with its
    config of the moment (edits, pauses, deletions), and all of users' alerts. With the executor's database (the running
    stack's, or `strikeline --database URL replay`) configs and triggers come in the order in which they were decided.
    Bots are replayed from their first config on, and --from says whose outcome is shown.

    All partitions are read in batches and merged in order of event time; what is sent while it reads is left out.
    Live topics are never written to. Exit code 1: some records could not be decoded (they are counted and named), or
    --check saw a bot look into the future.
    """
    from streams.cli.backtesting.asked import Settings
    from streams.cli.backtesting.recorded import NoName, topics_of
    from streams.cli.backtesting.recorded import publish as put
    from streams.cli.kafka import reaching, settings_for

    here = place(ctx)
    kafka = settings_for(here.bootstrap)
    settings = Settings(
        klines=topic or here.topics.klines.name, bots=bots, instruments=instruments, interval=interval,
        fill_up_to=fill_up_to, jobs=jobs, from_ms=None if from_ is None else parse_time(from_, "--from"),
        to_ms=None if to is None else parse_time(to, "--to"), capital=capital, check=check, funding=funding,
    )  # fmt: skip
    try:
        own = None if publish is None else topics_of(here.topics, publish)
    except NoName as wrong:
        raise Invalid(f"--publish: {wrong}") from None
    since = None if history is None else parse_time(history, "--history")
    with reaching(kafka.bootstrap), progress("replay", None, show=not json) as tell:
        if bots is not None:
            done = _of_file(here, settings, since, out, tell)
        else:
            done = _recorded(here, settings, since, out, tell, limits)
        sent = [] if own is None else put(kafka, own, done)
    for line in sent:
        note(line)
    show(done.report, out, json=json)
    if not done.report.sound:
        raise typer.Exit(Exit.PROBLEM)


def _of_file(here: Place, settings: "Settings", since: int | None, out: Path, tell: Tell) -> "Done":
    from streams.cli.backtesting.run import bots_of, run_loaded

    wanted = bots_of(settings)
    symbols = sorted({symbol for bot in wanted for symbol in bot.pairs})
    read = _read(here, settings, symbols, since, tell, all_wanted=True)
    return run_loaded(settings, wanted, read.loaded, out, tell, read.notes)


def _recorded(
    here: Place, settings: "Settings", since: int | None, out: Path, tell: Tell, limits: Path | None
) -> "Done":
    from streams.cli.backtesting.asked import check_times
    from streams.cli.replaying.run import recorded_past, run_recorded

    check_times(settings)
    rules = rules_of(here, settings.instruments, limits)._replace(base_interval=settings.interval)
    tell(0, "reading configs and alerts")
    tiers, database = tiers_of(here, limits), here.database
    past = recorded_past(here.cluster, here.topics, settings.klines, rules, tiers, database)
    read = _read(here, settings, past.symbols, since, tell, all_wanted=False)
    if since is not None:
        past = replace(past, lost=lambda symbol: True)
    return run_recorded(settings, past, rules, read.loaded, out, tell, read.notes)


def _read(
    here: Place, settings: "Settings", symbols: list[str], since: int | None, tell: Tell, *, all_wanted: bool
) -> "Read":
    from streams.cli.backtesting.recorded import from_topic
    from streams.cli.kafka import settings_for
    from streams.feeds.topic import TopicUnreadable

    kafka, name = settings_for(here.bootstrap), settings.klines
    try:
        return from_topic(kafka, here.topics, name, settings, symbols, since, tell, all_wanted=all_wanted)
    except TopicUnreadable as wrong:
        raise Problem(str(wrong)) from None
