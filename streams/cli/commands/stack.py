"""`strikeline up` and `down`: the local stack without Docker."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import DEFAULT_PARTITIONS, Context, Place, place
from streams.cli.errors import Invalid, Problem
from streams.cli.output import JsonFlag, note, print_json, print_table
from streams.cli.symbols import symbols_of

if TYPE_CHECKING:
    from streams.cli.stack import StackFile


def up(
    ctx: Context,
    feed: Annotated[bool, typer.Option("--feed/--no-feed", help="With a feed.")] = True,
    binance: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOLS", help="With Binance's live market of these instead of the simulated one."
        ),
    ] = None,
    symbols: Annotated[str, typer.Option(help="The simulated market's symbols.")] = "BTCUSDT,ETHUSDT,SOLUSDT",
    seed: Annotated[int, typer.Option(min=0, help="The simulated market's seed.")] = 1,
    notifier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With a notifier: users, their channels and limits.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Start broker, evaluator, executor and a feed on this machine; they go on until `down`.

    What runs already is left alone. Other commands find this stack by its state folder (--dir).
    """
    from streams.cli.stack import LocalProcess, StackFile, read_stack, write_stack
    from streams.cli.starting import create_topics, migrate, start_broker, start_processes

    fed_by = feed_command(binance, symbols, seed)
    here = place(ctx)
    before = read_stack(here.folder)
    own = before.own_broker if before is not None else here.bootstrap is None
    bootstrap = start_broker(here.folder, note).bootstrap if own else str(here.bootstrap)
    database = here.database or f"sqlite:///{here.folder / 'strikeline.db'}"
    partitions = here.partitions or DEFAULT_PARTITIONS
    stack = StackFile(bootstrap, database, here.namespace, partitions, here.keep_history, own)
    if own:
        write_stack(here.folder, stack)  # `down` must find a broker that is ours, whatever comes next
    create_topics(stack, note)
    write_stack(here.folder, stack)
    migrate(stack, here.folder)
    commands: dict[str, list[str]] = {"executor": ["executor"], "worker": ["worker"]}
    if notifier is not None:
        commands["notifier"] = ["notifier", "--config", str(notifier.resolve())]
    if feed:
        commands["feed"] = fed_by
    start_processes(here.folder, stack, commands, note)
    pids = {name: LocalProcess(here.folder, name).pid for name in commands}
    _report(here.folder, stack, pids, json)


def feed_command(binance: str | None, symbols: str, seed: int) -> list[str]:
    """The feed's own command: Binance's market where it is asked for, else a simulated one. Raises Invalid."""
    if binance is not None:
        names = symbols_of(binance, "--binance")
        # An empty list is an unset variable: a simulated market would be taken for the live one.
        if not names:
            raise Invalid("--binance: at least one symbol is needed")
        return ["feed", "binance", *names]
    return ["feed", "simulate", "--speed", "live", "--symbols", symbols, "--seed", str(seed)]


def _report(folder: Path, stack: "StackFile", pids: dict[str, int | None], json: bool) -> None:
    if json:
        print_json({"stack": stack, "folder": str(folder), "processes": pids})
        return
    print_table(
        ("process", "pid", "log"), [(n, pid, folder / "logs" / f"{n}.log") for n, pid in pids.items()]
    )
    print(f"Kafka     {stack.bootstrap}")
    print(f"database  {stack.database}")
    print("next: strikeline status; strikeline bots apply FILE --wait 30; strikeline triggers tail")


def down(
    ctx: Context,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete broker data, database and logs.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """End what `up` started, by pid, after checking that it is ours. Data stay, unless told otherwise."""
    from streams.cli.stack import read_stack, stop_processes
    from topics.broker.local import LocalKafka

    here = place(ctx)
    stack = read_stack(here.folder)
    stopped = stop_processes(here.folder)
    if stack is not None and stack.own_broker:
        broker = LocalKafka(here.folder / "kafka")
        if broker.pid is not None:
            broker.stop()
            stopped.append("kafka")
    if delete_data:
        _delete(here, stack)
    if json:
        print_json({"stopped": stopped, "deleted": delete_data})
    else:
        print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def _delete(here: Place, stack: "StackFile | None") -> None:
    if stack is None:
        raise Problem(f"{here.folder} holds no stack of ours: nothing is deleted")
    for name in ("kafka", "logs"):
        shutil.rmtree(here.folder / name, ignore_errors=True)
    for path in (*here.folder.glob("strikeline.db*"), here.folder / "stack.json"):
        path.unlink(missing_ok=True)
