"""`strikeline archive`: klines, triggers, configs and alerts from their topics to parquet."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.commands.processes import (
    JsonLogs,
    LogLevel,
    MetricsPort,
    asked,
    common,
    differs,
    settings_of,
)
from streams.cli.context import Context, place
from streams.cli.errors import Problem
from streams.cli.logs import log_as_json


def archive(
    ctx: Context,
    to: Annotated[Path, typer.Option("--to", help="The archive's folder.")] = Path("archive"),
    seconds: Annotated[
        float,
        typer.Option(min=0.1, max=86_400, help="A record is in a file at most so long after it was read."),
    ] = 300.0,
    log_level: LogLevel = None,
    metrics_port: MetricsPort = None,
    json: JsonLogs = False,
) -> None:
    """Keep klines, triggers, configs and users' alerts as parquet, each record once, for longer than topics do.

    One process a folder. `backtest --klines` reads the folder's `klines`. Ends with 0 on SIGTERM and SIGINT, with 1 and
    a message where going on would be a guess or nothing comes though there is something to read.
    """
    from sinks.archive.config import ArchiveSettings
    from sinks.archive.process import run_archive
    from sinks.errors import Stop
    from streams.cli.kafka import reaching
    from topics.admin import TopicsDiffer

    folder = {"archive": to, "archive_seconds": seconds}
    settings = settings_of(ArchiveSettings, common(place(ctx)) | asked(log_level, metrics_port) | folder)
    if json:
        log_as_json(settings.log_level)
    try:
        with reaching(settings.kafka.bootstrap):
            run_archive(settings)
    except TopicsDiffer as differ:
        raise differs(differ) from None
    except Stop as stop:
        raise Problem(str(stop)) from None
