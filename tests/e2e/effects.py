"""What a run came to, wherever it ran: triggers, notifications, deals, fills, ledger; compared for equality."""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Engine, Table, select

from schemas.message import Message
from schemas.triggers import Fired, Trigger
from sinks.database.tables import deals, fills, ledger
from streams.cli.pipeline import Pipeline
from topics.codec import decode
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec

Read = Callable[[TopicSpec], list[Record]]
Row = dict[str, Any]


class Effects(NamedTuple):
    """Triggers by id, notifications by what they say, rows by key.

    Headers, offsets and wall times are left out (law 12): so is the generation of a user's alert, the offset of
    its command.
    """

    triggers: dict[str, Trigger]
    fired: dict[str, Fired]
    deals: list[Row]
    fills: list[Row]
    ledger: list[Row]


def effects(read: Read, topics: Topics, engine: Engine) -> Effects:
    """What there is on the topics and in the database. A result that was told twice is an error here."""
    triggers = [m for m in messages(read, topics.triggers) if isinstance(m, Trigger)]
    fired = [m for m in messages(read, topics.fired) if isinstance(m, Fired)]
    found = Effects(
        {trigger.trigger_id: trigger for trigger in triggers},
        {f"{one.alert_id}@{one.bar.open_time_ms}#{one.fire_number}": _anywhere(one) for one in fired},
        _rows(engine, deals),
        _rows(engine, fills),
        _rows(engine, ledger),
    )
    assert (len(found.triggers), len(found.fired)) == (len(triggers), len(fired)), "something was told twice"
    return found


def effects_of(pipeline: Pipeline) -> Effects:
    """The same of the pipeline in this process."""
    return effects(lambda spec: pipeline.bus.records(spec.name), pipeline.topics, pipeline.engine)


def _anywhere(fired: Fired) -> Fired:
    """The notification without the offset that it carries."""
    assert fired.fired_id.split(":")[1] == str(fired.generation)
    return replace(fired, generation=0, fired_id="")


def messages(read: Read, spec: TopicSpec) -> list[Message]:
    """Every message of a topic; raises Undecodable where there is another record."""
    return [message for record in read(spec) if (message := decode(record, spec)) is not None]


def require_equal(actual: Effects, expected: Effects) -> None:
    """Fails with the first difference of each kind, rather than with thousands of lines."""
    for name in ("triggers", "fired"):
        mine, theirs = getattr(actual, name), getattr(expected, name)
        missing, extra = sorted(theirs.keys() - mine.keys()), sorted(mine.keys() - theirs.keys())
        assert not missing, f"{len(missing)} {name} are missing, first {theirs[missing[0]]}"
        assert not extra, f"{len(extra)} {name} too many, first {mine[extra[0]]}"
        for key, one in theirs.items():
            assert mine[key] == one
    for name in ("deals", "fills", "ledger"):
        mine, theirs = getattr(actual, name), getattr(expected, name)
        for one, other in zip(mine, theirs, strict=False):
            assert one == other
        assert len(mine) == len(theirs), f"{len(mine)} {name} instead of {len(theirs)}"


def _rows(engine: Engine, table: Table) -> list[Row]:
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]
