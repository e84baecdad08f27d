"""`strikeline drift`: recorded triggers and deals against a replay of the same topics."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.commands.processes import LimitsFile, rules_of, tiers_of
from streams.cli.context import Context, place
from streams.cli.errors import Exit, Invalid
from streams.cli.output import JsonFlag, note, print_json, print_table
from streams.cli.times import parse_time

if TYPE_CHECKING:
    from streams.cli.drifting.check import Checked, Window

SHOWN = 50
_EVER_MS = 253_402_300_799_999


def drift(
    ctx: Context,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Compare what fired or opened after that.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="T", help="Compare what fired or opened until then.")
    ] = None,
    fill_up_to: Annotated[int, typer.Option(min=0, help="What the workers were run with.")] = 5,
    instruments: Annotated[
        Path | None,
        typer.Option(help="What the executor was run with; its STRIKELINE_* variables count too."),
    ] = None,
    limits: LimitsFile = None,
    json: JsonFlag = False,
) -> None:
    """Do the recorded topics give again what they gave? The klines and commands their triggers and what users' alerts
    fired, byte for byte; the configs and triggers, in the order of the database's inbox, their deals and fills. Nothing
    is written.

    All of the topics is replayed, for what is compared depends on what was before. Exit code 1 says that something
    differs; the difference of a trigger or a fired alert names the command that explains it.
    """
    from streams.cli.drifting.check import evaluator, executor
    from streams.cli.kafka import reaching

    here, window = place(ctx), _window(from_, to)
    with reaching(here.bootstrap or "localhost:9092"):
        tiers = tiers_of(here, limits)
        checked = [evaluator(here.cluster, here.topics, window, fill_up_to, tiers)]
        if here.database is None:
            note("not checked: deals, for no database was named (--database)")
        else:
            checked.append(
                executor(
                    here.cluster, here.topics, here.database, window, rules_of(here, instruments, limits)
                )
            )
    _print(checked, json=json)
    if any(one.differences for one in checked):
        raise typer.Exit(Exit.PROBLEM)


def _window(from_: str | None, to: str | None) -> "Window":
    from streams.cli.drifting.check import Window

    window = Window(
        -1 if from_ is None else parse_time(from_, "--from"),
        _EVER_MS if to is None else parse_time(to, "--to"),
    )
    if window.from_ms >= window.to_ms:
        raise Invalid("--from: is not before --to")
    return window


def _print(checked: "list[Checked]", *, json: bool) -> None:
    differences = [difference for one in checked for difference in one.differences]
    compared = {kind: count for one in checked for kind, count in one.compared.items()}
    unchecked = [line for one in checked for line in one.unchecked]
    if json:
        told = [difference._asdict() for difference in differences]
        print_json({"compared": compared, "differences": told, "unchecked": unchecked})
        return
    for line in unchecked[:SHOWN]:
        note(f"not checked: {line}")
    if differences:
        names = ("what", "name", "differs", "recorded", "replayed", "why")
        print_table(names, [tuple(one) for one in differences[:SHOWN]])
    counts = ", ".join(f"{count:,} {kind}" for kind, count in compared.items())
    print(f"{counts} compared: {len(differences):,} differences")
