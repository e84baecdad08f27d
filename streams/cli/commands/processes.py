"""`strikeline worker` and `strikeline executor`: the processes themselves, in the foreground."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import Context, Place, place
from streams.cli.errors import Invalid, Problem, Unreachable
from streams.cli.logs import log_as_json

if TYPE_CHECKING:
    from sinks.config import ExecutorSettings
    from sinks.executor.decision import Rules
    from topics.tiers import Tiers


class LogLevels(StrEnum):
    """What a process tells."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


LogLevel = Annotated[LogLevels | None, typer.Option(help="How much is told; default INFO.")]
JsonLogs = Annotated[bool, typer.Option("--json", help="Log as JSON, an object a line.")]
LimitsFile = Annotated[
    Path | None, typer.Option(help="What users may have, by tier: bots, alerts, conditions.")
]
MetricsPort = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Port of Prometheus metrics; default 0: none.")
]


def worker(
    ctx: Context,
    log_level: LogLevel = None,
    metrics_port: MetricsPort = None,
    history: Annotated[
        Path | None,
        typer.Option(help="Kline file (or folder of such) with bars from before the kline topic's first."),
    ] = None,
    limits: LimitsFile = None,
    json: JsonLogs = False,
) -> None:
    """Run an evaluator: klines and alerts in, triggers out. Useful up to one per partition.

    Ends with 0 on SIGTERM and SIGINT, 70 without progress, 75 after a standstill; a supervisor restarts it.
    """
    from streams.cli.kafka import reaching
    from streams.config import WorkerSettings
    from streams.feeds.files import FileProblem
    from streams.worker import run_worker
    from topics.admin import TopicsDiffer
    from topics.tiers import BadTiers

    given = common(place(ctx)) | asked(log_level, metrics_port)
    if history is not None:
        given["history"] = history
    if limits is not None:
        given["limits"] = limits
    settings = settings_of(WorkerSettings, given)
    if json:
        log_as_json(settings.log_level)
    try:
        with reaching(settings.kafka.bootstrap):
            run_worker(settings)
    except TopicsDiffer as differ:
        raise differs(differ) from None
    except FileProblem as wrong:
        raise Invalid(f"--history: {wrong}") from None
    except BadTiers as wrong:
        raise Invalid(str(wrong)) from None


def executor(
    ctx: Context,
    migrate_only: Annotated[
        bool, typer.Option("--migrate-only", help="Bring the database's schema up to date, and end.")
    ] = False,
    instruments: Annotated[
        Path | None, typer.Option(help="Tick, lot and minimum notional by symbol; default tick and lot 1e-8.")
    ] = None,
    limits: LimitsFile = None,
    log_level: LogLevel = None,
    metrics_port: MetricsPort = None,
    json: JsonLogs = False,
) -> None:
    """Run an executor: configs and triggers in; deals, armed groups and positions out. Migrates first.

    Ends with 0 on SIGTERM and SIGINT, with 1 and a message where going on would be a guess, with 70 without progress.
    """
    from sinks.config import ExecutorSettings

    here = place(ctx)
    given = common(here) | asked(log_level, metrics_port)
    if here.database is not None:
        given["database_url"] = here.database
    if instruments is not None:
        given["instruments"] = instruments
    if limits is not None:
        given["limits"] = limits
    settings: ExecutorSettings = settings_of(ExecutorSettings, given)
    if json:
        log_as_json(settings.log_level)
    _run_executor(settings, migrate_only)


def _run_executor(settings: "ExecutorSettings", migrate_only: bool) -> None:
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    from sinks.errors import BadBalances, BadInstruments, Stop
    from sinks.process import run_executor
    from streams.cli.kafka import reaching
    from topics.admin import TopicsDiffer
    from topics.records import DeliveryFailed
    from topics.tiers import BadTiers

    try:
        with reaching(settings.kafka.bootstrap):
            run_executor(settings, migrate_only)
    except TopicsDiffer as differ:
        raise differs(differ) from None
    except (BadBalances, BadInstruments, BadTiers) as wrong:
        raise Invalid(str(wrong)) from None
    except (ArgumentError, NoSuchModuleError) as wrong:
        raise Invalid(f"--database: {wrong}") from None
    except (Stop, DeliveryFailed) as stop:
        raise Problem(str(stop)) from None
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
        raise Unreachable(f"the database cannot be used: {reason}") from None


def asked(log_level: LogLevels | None, metrics_port: int | None) -> dict[str, Any]:
    """The options that were given: the others are left to the environment."""
    options = {"log_level": None if log_level is None else str(log_level), "metrics_port": metrics_port}
    return {name: value for name, value in options.items() if value is not None}


def common(here: Place) -> dict[str, Any]:
    """Settings that all processes share, from what the command line was told."""
    from streams.cli.kafka import settings_for

    topics = here.topics
    return {
        "namespace": topics.namespace,
        "partitions": topics.partitions,
        "keep_history": topics.keep_history,
        "kafka": settings_for(here.bootstrap),
    }


def settings_of(kind: Any, given: dict[str, Any]) -> Any:
    """The process's settings from what is given and STRIKELINE_* variables. Raises Invalid with the field."""
    from pydantic import ValidationError

    try:
        return kind(**given)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise Invalid(f"STRIKELINE_{name.upper()}: {first['msg'].removeprefix('Value error, ')}") from None


def rules_of(here: Place, instruments: Path | None, limits: Path | None) -> "Rules":
    """What an executor here decides by on paper: as it was run, by its variables or what is given. Raises Invalid."""
    from sinks.config import ExecutorSettings
    from sinks.errors import BadInstruments
    from topics.tiers import BadTiers

    files = {"instruments": instruments, "limits": limits}
    given = common(here) | {name: path for name, path in files.items() if path is not None}
    settings: ExecutorSettings = settings_of(ExecutorSettings, given)
    try:
        return settings.rules()
    except (BadInstruments, BadTiers) as wrong:
        raise Invalid(str(wrong)) from None


def tiers_of(here: Place, limits: Path | None) -> "Tiers":
    """What a worker here lets users have. Raises Invalid."""
    from streams.config import WorkerSettings
    from topics.tiers import BadTiers

    given = common(here) | ({} if limits is None else {"limits": limits})
    settings: WorkerSettings = settings_of(WorkerSettings, given)
    try:
        return settings.tiers()
    except BadTiers as wrong:
        raise Invalid(str(wrong)) from None


def differs(differ: Exception) -> Problem:
    """What is said where the topics are not the registry's."""
    return Problem(f"the topics are not as they should be (see `strikeline topics check`):\n{differ}")
