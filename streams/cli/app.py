"""The root command: options every command shares, the families, and how an error becomes one line."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from streams.cli import context
from streams.cli.commands import (
    alerts,
    archive,
    backtest,
    bots,
    condition,
    demo,
    dlq,
    drift,
    explain,
    feed,
    indicators,
    notifier,
    positions,
    processes,
    replay,
    stack,
    status,
    sweep,
    topics,
    triggers,
)
from streams.cli.errors import EXIT_CODES, CliError, Exit


class Root(TyperGroup):
    """Turns what commands raise into one line on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CliError as error:
            print(f"strikeline: {error}", file=sys.stderr)
            raise typer.Exit(error.code) from None
        except KeyboardInterrupt:
            print("strikeline: interrupted", file=sys.stderr)
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone (`| head`): the interpreter's own flush at exit must not complain either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(Exit.OK) from None


app = typer.Typer(
    name="strikeline",
    cls=Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes 0.4 s to import: tables are worth that, help is not
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)


@app.callback()
def root(
    ctx: typer.Context,
    namespace: Annotated[
        str, typer.Option(envvar=context.NAMESPACE_VARIABLE, help="Put before every topic and group.")
    ] = "",
    partitions: Annotated[
        int | None,
        typer.Option(
            envvar=context.PARTITIONS_VARIABLE, min=1, help="Partitions of every topic of the namespace."
        ),
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option(envvar=context.BOOTSTRAP_VARIABLE, metavar="HOST:PORT", help="Kafka's address."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(envvar=context.DATABASE_VARIABLE, metavar="URL", help="The executor's database."),
    ] = None,
    keep_history: Annotated[
        bool,
        typer.Option("--keep-history", envvar=context.KEEP_VARIABLE, help="Topics never delete by age."),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir", envvar=context.FOLDER_VARIABLE, help="State folder of `up`, `down` and `demo`."
        ),
    ] = None,
) -> None:
    """Klines and bots on Kafka topics in, triggers out, deals in a database. Start with `strikeline demo`."""
    from streams.cli.stack import completed

    given = ctx.obj if isinstance(ctx.obj, context.Place) else context.Place()
    ctx.obj = completed(
        replace(
            given,
            namespace=namespace or given.namespace,
            partitions=partitions or given.partitions,
            keep_history=keep_history or given.keep_history,
            bootstrap=bootstrap or given.bootstrap,
            asked_bootstrap=bootstrap or given.bootstrap,
            database=database or given.database,
            folder=(folder or context.default_folder()).resolve(),
        )
    )


app.command("demo", short_help="the whole pipeline on this machine for a minute, then its deals")(demo.demo)
app.command("up", short_help="start the local stack: Kafka, evaluator, executor, feed")(stack.up)
app.command("down", short_help="end what `up` started")(stack.down)
app.command("status", short_help="is it running, is it keeping up, is anything wrong")(status.status)
app.add_typer(topics.app, name="topics", short_help="create, list and check the topics")
app.add_typer(
    feed.app, name="feed", short_help="klines onto the topic: from a file, a simulated market or Binance"
)
app.command("worker", short_help="run an evaluator: klines and alerts in, triggers out")(processes.worker)
app.command("executor", short_help="run an executor: configs and triggers in, deals out")(processes.executor)
app.add_typer(notifier.app, name="notifier", short_help="run a notifier: fired alerts in, messages out")
app.command("archive", short_help="keep klines and triggers as parquet, for longer than topics do")(
    archive.archive
)
app.add_typer(bots.app, name="bots", short_help="apply bot files, list, show, delete, preview the ladder")
app.add_typer(alerts.app, name="alerts", short_help="users' own alerts: apply files, list, show, delete")
app.add_typer(triggers.app, name="triggers", short_help="what fired")
app.add_typer(positions.app, name="positions", short_help="where bots stand")
app.command("explain", short_help="why an alert did or did not fire on a bar")(explain.explain)
app.add_typer(indicators.app, name="indicators", short_help="what there is, and its values over a file")
app.add_typer(condition.app, name="condition", short_help="check and read a condition's one-line form")
app.command("backtest", short_help="what bots would have done over candles from files")(backtest.backtest)
app.command("sweep", short_help="many configurations of a bot over the same candles, ranked")(sweep.sweep)
app.command("replay", short_help="what bots would have done over the klines of a topic")(replay.replay)
app.command("drift", short_help="do the recorded topics give again what they gave?")(drift.drift)
app.add_typer(dlq.app, name="dlq", short_help="dead letters: records that nobody could use, and why")


def run() -> None:
    """Runs the command that the process was started with, and ends the process."""
    app()
