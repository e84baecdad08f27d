"""`strikeline dlq`: records that nobody could use, and why."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.context import Context, Place, place
from streams.cli.errors import Invalid
from streams.cli.output import JsonFlag, print_json, print_table
from streams.cli.times import show_time

if TYPE_CHECKING:
    from topics.dead_letters import DeadLetter
    from topics.records import Record

app = typer.Typer(help="Dead letters: records that nobody could use, and why.", no_args_is_help=True)


@app.command("list")
def list_(ctx: Context, json: JsonFlag = False) -> None:
    """How many dead letters each topic has, by what was wrong with them."""
    from streams.cli.reading import everything
    from topics.dead_letters import NotRevivable, read_dead_letter

    here = place(ctx)
    counts: Counter[tuple[str, str]] = Counter()
    for topic in _dead_topics(here):
        for record in everything(here.cluster, topic):
            try:
                counts[topic, read_dead_letter(record).error_class] += 1
            except NotRevivable:
                counts[topic, "foreign"] += 1
    rows = [
        {"topic": topic, "error_class": kind, "count": count}
        for (topic, kind), count in sorted(counts.items())
    ]
    if json:
        print_json(rows)
    elif rows:
        print_table(
            ("topic", "error class", "count"), [tuple(row.values()) for row in rows], right=("count",)
        )
    else:
        print("no dead letters")


@app.command()
def show(
    ctx: Context,
    topic: Annotated[str | None, typer.Argument(help="Such as market.klines.v1; all when left out.")] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="The last N of each topic.")] = 20,
    json: JsonFlag = False,
) -> None:
    """Dead letters one by one: where the record was, what was wrong, and its first bytes."""
    from streams.cli.reading import last_records

    here = place(ctx)
    wanted = [
        name for name in _dead_topics(here) if topic is None or name.removesuffix(".dlq").endswith(topic)
    ]
    if not wanted:
        known = ", ".join(name.removesuffix(".dlq") for name in _dead_topics(here))
        raise Invalid(f"no dead letters are kept for {topic}; they are for {known}")
    letters = [
        told
        for name in wanted
        for record in last_records(here.cluster, name, last)
        if (told := _letter(record))
    ]
    if json:
        print_json([_as_json(letter) for letter in letters])
        return
    print_table(
        ("record", "at", "error class", "reason", "key", "value"),
        [
            (letter.record.address, show_time(letter.record.timestamp_ms), letter.error_class, letter.reason,
             _shown(letter.record.key, 32), _shown(letter.record.value, 80))
            for letter in letters
        ],
    )  # fmt: skip


def _dead_topics(here: Place) -> Iterator[str]:
    present = here.cluster.names()
    return (spec.name for spec in here.topics.all() if spec.name.endswith(".dlq") and spec.name in present)


def _letter(record: "Record") -> "DeadLetter | None":
    from topics.dead_letters import NotRevivable, read_dead_letter

    try:
        return read_dead_letter(record)
    except NotRevivable:
        return None


def _shown(data: bytes | None, length: int) -> str:
    if data is None:
        return "null"
    text = data[:length].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text + ("…" if len(data) > length else "")


def _as_json(letter: "DeadLetter") -> dict[str, Any]:
    record = letter.record
    return {
        "address": record.address,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "error_class": letter.error_class,
        "reason": letter.reason,
        "key": None if record.key is None else record.key.decode("utf-8", "backslashreplace"),
        "value": None if record.value is None else record.value.decode("utf-8", "backslashreplace"),
        "cut": letter.cut,
    }
