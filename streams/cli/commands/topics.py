"""`strikeline topics`: create, list and check the topics of a namespace."""

from typing import Annotated

import typer

from streams.cli.context import Context, place
from streams.cli.errors import Problem
from streams.cli.output import JsonFlag, note, print_json, print_table

app = typer.Typer(help="The topics of the namespace: create, list, check.", no_args_is_help=True)

KeepHistory = Annotated[
    bool,
    typer.Option(
        "--keep-history", help="No deletion by age, which counts event time: for feeding old recordings."
    ),
]


@app.command()
def create(
    ctx: Context,
    keep_history: KeepHistory = False,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of each topic: 1 suits one broker, production wants 3.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Create every topic that is missing. Topics that are there stay as they are."""
    from streams.cli.kafka import KafkaCluster, reaching, settings_for

    here = place(ctx)
    cluster = KafkaCluster(settings_for(here.bootstrap, replication))
    specs = here.registry(keep_history=keep_history).all()
    with reaching(cluster.settings.bootstrap):
        made = set(cluster.admin().create(specs))
    if json:
        print_json([{"topic": spec.name, "created": spec.name in made} for spec in specs])
    else:
        note(f"{len(made)} topics created, {len(specs) - len(made)} were there, on {cluster.name}")


@app.command("list")
def list_(ctx: Context, json: JsonFlag = False) -> None:
    """Every topic of the namespace: whether it is there, how many records it holds."""
    here = place(ctx)
    present = here.cluster.names()
    rows = []
    for spec in here.topics.all():
        there = spec.name in present
        held = sum(b.end - b.begin for b in here.cluster.bounds(spec.name).values()) if there else None
        rows.append((spec.name, spec.key, present.get(spec.name), spec.cleanup, held))
    if json:
        names = ("topic", "key", "partitions", "cleanup", "offsets")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        columns = ("topic", "key", "partitions", "cleanup", "offsets held")
        print_table(columns, [(n, k, "missing" if p is None else p, c, h) for n, k, p, c, h in rows],
                    right=("partitions", "offsets held"))  # fmt: skip


@app.command()
def check(ctx: Context, keep_history: KeepHistory = False, json: JsonFlag = False) -> None:
    """Compare the broker's topics with the registry: every difference, and exit code 1 where there is one."""
    from streams.cli.kafka import KafkaCluster, reaching, settings_for

    here = place(ctx)
    cluster = KafkaCluster(settings_for(here.bootstrap))
    specs = here.registry(keep_history=keep_history).all()
    with reaching(cluster.settings.bootstrap):
        found = cluster.admin().check(specs)
    if json:
        print_json([difference._asdict() for difference in found])
    elif not found:
        print(f"{len(specs)} topics are as they should be, on {cluster.name}")
    else:
        print_table(("topic", "setting", "expected", "actual"), found)
    if found:
        raise Problem(f"{len(found)} differences")
