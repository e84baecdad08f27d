"""`strikeline bots`: configurations onto their topic, and what became of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.amounts import money
from streams.cli.commands.preview import preview
from streams.cli.context import Context, place
from streams.cli.errors import Problem
from streams.cli.output import JsonFlag, print_json, print_table
from streams.cli.times import parse_time, show_time

if TYPE_CHECKING:
    from schemas.bots import BotConfig

app = typer.Typer(
    help="Bots: apply their files, list, show, delete, preview ladder or grid.", no_args_is_help=True
)

BotFile = Annotated[Path, typer.Argument(metavar="FILE", help="YAML: one bot, several documents, or a list.")]
Wait = Annotated[
    float,
    typer.Option(min=0.0, help="Seconds to wait for the executor to accept or reject; 0 sends and ends."),
]


@app.command()
def apply(
    ctx: Context,
    file: BotFile,
    wait: Wait = 0.0,
    effective_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="In force from then on, not from the newest candle.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Send configs that have not changed, too.")] = False,
    json: JsonFlag = False,
) -> None:
    """Check a file's bots, show what they change and put them on the topic.

    Nothing is sent when anything is wrong (exit code 2).
    """
    from msgspec.structs import replace

    from schemas.bots import BotConfig
    from streams.cli.applied import judge, sent, show_applied, show_changes
    from streams.cli.applying import counted, dated, newest_times, unchanged
    from streams.cli.reading import latest

    start = parse_time(effective_from, "--effective-from") if effective_from else None
    bots = _checked(file)
    here = place(ctx)
    before = latest(here.cluster, here.topics.configs, BotConfig)
    same = [bot for bot in bots if not force and unchanged(bot, before.get(bot.bot_id))]
    todo = [
        bot if start is None else replace(bot, effective_from_ms=start) for bot in bots if bot not in same
    ]
    newest = newest_times(here.cluster, here.topics, {pair for bot in todo for pair in bot.pairs})
    todo = [counted(dated(bot, newest), before.get(bot.bot_id)) for bot in todo]
    if not json:
        show_changes(todo, before)
    answers = sent(here, todo, wait)
    show_applied(todo, [before[bot.bot_id] for bot in same], answers, json, before)
    judge(answers, wait)


def _checked(file: Path) -> "list[BotConfig]":
    from streams.cli.botfile import Mistake, Mistakes, read_bots
    from streams.engine import kinds

    bots = read_bots(file)
    wrong = [
        Mistake(f"{file}, bot {bot.bot_id}", problem.field, problem.reason)
        for bot in bots
        if bot.state != "deleted"
        for problem in kinds.problems(bot, None)
    ]
    if wrong:
        raise Mistakes(wrong)
    return bots


@app.command("list")
def list_(ctx: Context, json: JsonFlag = False) -> None:
    """Every bot on the topic with where it stands."""
    from schemas.bots import BotConfig
    from schemas.positions import Position
    from streams.cli.reading import latest

    here = place(ctx)
    configs = latest(here.cluster, here.topics.configs, BotConfig)
    positions = latest(here.cluster, here.topics.positions, Position)
    rows = [(bot, positions.get(bot.bot_id)) for bot in configs.values()]
    if json:
        print_json([{"config": bot, "position": position} for bot, position in rows])
        return
    print_table(
        ("bot", "user", "state", "revision", "pairs", "side", "open deals", "closed deals", "profit"),
        [
            (b.bot_id, b.user_id, b.state, b.revision, ", ".join(b.pairs), b.side,
             *((len(p.open_deals), p.closed_deals, money(p.realized_profit)) if p else (None, None, None)))
            for b, p in rows
        ],
        right=("revision", "open deals", "closed deals", "profit"),
    )  # fmt: skip


@app.command()
def show(ctx: Context, bot_id: Annotated[str, typer.Argument(metavar="ID")], json: JsonFlag = False) -> None:
    """One bot: its config as it stands on the topic, its position, and its last events."""
    from schemas.bots import BotConfig
    from schemas.events import BotEvent
    from schemas.positions import Position
    from streams.cli.reading import decoded, everything, latest
    from streams.cli.sentences import sentence

    here = place(ctx)
    config = latest(here.cluster, here.topics.configs, BotConfig).get(bot_id)
    if config is None:
        raise Problem(f"no bot {bot_id} on {here.topics.configs.name}")
    position = latest(here.cluster, here.topics.positions, Position).get(bot_id)
    spec = here.topics.events
    records = [r for r in everything(here.cluster, spec.name) if r.key == bot_id.encode()]
    told = [t.message for r in records if (t := decoded(r, spec)) is not None]
    events = [event for event in told if isinstance(event, BotEvent)]
    if json:
        print_json({"config": config, "position": position, "events": events})
        return
    print_json(config)
    if position is not None:
        print_json(position)
    shown = [(show_time(e.at_ms), e.event, e.symbol, sentence(e)) for e in events]
    print_table(("at", "event", "symbol", "what happened"), shown[-15:])


@app.command()
def delete(
    ctx: Context,
    bot_id: Annotated[str, typer.Argument(metavar="ID")],
    close: Annotated[
        bool | None,
        typer.Option(
            "--close/--keep", help="Close open deals, or keep their exits armed; default: as configured."
        ),
    ] = None,
    wait: Wait = 0.0,
    json: JsonFlag = False,
) -> None:
    """Delete a bot: no new entries; open deals are kept or closed."""
    from msgspec.structs import replace

    from schemas.bots import BotConfig
    from streams.cli.applied import judge, sent, show_applied
    from streams.cli.applying import counted, dated, newest_times
    from streams.cli.reading import latest

    here = place(ctx)
    before = latest(here.cluster, here.topics.configs, BotConfig).get(bot_id)
    if before is None or before.state == "deleted":
        raise Problem(
            f"no bot {bot_id} on {here.topics.configs.name}" + (", it was deleted" if before else "")
        )
    gone = replace(before, state="deleted", effective_from_ms=None, revision=0)
    if close is not None:
        gone = replace(gone, on_delete="close" if close else "keep")
    gone = counted(dated(gone, newest_times(here.cluster, here.topics, gone.pairs)), before)
    answers = sent(here, [gone], wait)
    show_applied([gone], [], answers, json)
    judge(answers, wait)


app.command("preview")(preview)
