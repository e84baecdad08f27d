"""`strikeline notifier`: the process that tells users what fired, and a test message to one of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from streams.cli.errors import Exit, Invalid, Problem
from streams.cli.logs import log_as_json
from streams.cli.output import JsonFlag, print_json, print_table

if TYPE_CHECKING:
    from sinks.notifier.config import NotifierSettings
    from sinks.notifier.directory import Directory

Config = Annotated[
    Path | None,
    typer.Option(
        envvar="STRIKELINE_NOTIFIER_CONFIG", metavar="FILE", help="Users, their channels and limits."
    ),
]
Private = Annotated[
    bool,
    typer.Option(
        "--allow-private",
        envvar="STRIKELINE_NOTIFIER_ALLOW_PRIVATE",
        help="Channels may be on loopback and in private networks.",
    ),
]

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def notifier(
    ctx: Context,
    config: Config = None,
    allow_private: Private = False,
    log_level: LogLevel = None,
    metrics_port: MetricsPort = None,
    json: JsonLogs = False,
) -> None:
    """Run a notifier: fired alerts in, messages to users' channels out. Useful up to one per partition.

    Ends with 0 on SIGTERM and SIGINT, 70 without progress; a supervisor restarts it. A changed file counts from the
    next start on.
    """
    if ctx.invoked_subcommand is not None:
        return
    from sinks.notifier.config import NotifierSettings
    from sinks.notifier.errors import BadDirectory
    from sinks.notifier.process import run_notifier
    from streams.cli.kafka import reaching
    from topics.admin import TopicsDiffer
    from topics.records import DeliveryFailed

    given = common(place(ctx)) | asked(log_level, metrics_port)
    settings: NotifierSettings = settings_of(NotifierSettings, given | _given(config, allow_private))
    if json:
        log_as_json(settings.log_level)
    try:
        with reaching(settings.kafka.bootstrap):
            run_notifier(settings)
    except BadDirectory as wrong:
        raise Invalid(str(wrong)) from None
    except TopicsDiffer as differ:
        raise differs(differ) from None
    except DeliveryFailed as stop:
        raise Problem(str(stop)) from None


@app.command("test")
def try_channels(
    user: Annotated[str, typer.Argument(help="Who is told, as in the file.")],
    config: Config = None,
    allow_private: Private = False,
    json: JsonFlag = False,
) -> None:
    """Send a test message to each of a user's channels; exit code 1 where one did not take it."""
    from sinks.notifier.trial import try_out

    directory = _directory(config)
    if user not in directory:
        raise Invalid(f"{config}: there is no user {user}")
    tried = try_out(directory[user], allow_private=allow_private)
    if json:
        print_json([one._asdict() for one in tried])
    else:
        print_table(
            ("channel", "scheme", "result"),
            [(one.channel, one.scheme, one.problem or "taken") for one in tried],
        )
    if any(one.problem for one in tried):
        raise typer.Exit(Exit.PROBLEM)


def _directory(config: Path | None) -> "Directory":
    from sinks.notifier.directory import load_directory
    from sinks.notifier.errors import BadDirectory

    settings = settings_of(_settings_kind(), _given(config, False))
    try:
        return load_directory(settings.notifier_config, settings.notifier_deadline)
    except BadDirectory as wrong:
        raise Invalid(str(wrong)) from None


def _settings_kind() -> type["NotifierSettings"]:
    from sinks.notifier.config import NotifierSettings

    return NotifierSettings


def _given(config: Path | None, allow_private: bool) -> dict[str, Any]:
    if config is None:
        raise Invalid("--config FILE is needed: which users, and their channels")
    given: dict[str, Any] = {"notifier_config": config}
    return given | {"notifier_allow_private": True} if allow_private else given
