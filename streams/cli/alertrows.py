"""Users' alerts as they stand: the evaluator's table changelog, and commands that it has not taken in yet.

The topic of commands keeps 30 days; the changelog keeps what is in force for as long as it is. Rows are chosen
as the evaluator chooses them: of two values of a key the one with the higher (generation, pos), not the later.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from schemas.alerts import AlertCommand
from schemas.conditions import ConditionError, condition_from_json
from streams.cli.cluster import Cluster
from streams.cli.errors import Problem
from streams.cli.reading import decoded, everything
from streams.engine.conditions.expression import to_text
from streams.engine.groups.unit_rows import AlertBody, read_row
from streams.rows import GroupEntry, RowUnreadable
from streams.store import RowStore
from topics.registry import Topics

State = Literal["sent", "active", "deleting", "deleted", "fired", "expired", "refused"]
LIVING = frozenset({"sent", "active"})


class Standing(msgspec.Struct, frozen=True):
    """One alert. `sent` and `deleting`: the evaluator has not taken the command in; `fired`: once, and is done.

    Whether an active one still warms up is not in its row: its last events tell. `armed`: it fires when its condition
    holds. `armed_from_ms`: it sees bars that open from then on. `generation` is the offset of its command.
    """

    alert_id: str
    user_id: str
    symbol: str
    state: State
    condition: str
    command: AlertCommand
    generation: int
    armed_from_ms: int | None = None
    armed: bool | None = None
    fires: int = 0
    last_fired_ms: int | None = None


class Sent(NamedTuple):
    """A command on the topic, where it lies and whether the evaluator has acknowledged it."""

    offset: int
    command: AlertCommand
    taken_in: bool


def standing(cluster: Cluster, topics: Topics) -> list[Standing]:
    """Every alert known, those that are gone for 30 days too; in order of name and symbol."""
    # Offsets are acknowledged after the rows are written, so rows read later know all that was acknowledged before.
    committed = cluster.committed(topics.group("evaluator"), topics.user_alerts.name)
    sent = _sent(cluster, topics, committed)
    found = {
        (body.command.alert_id, body.command.symbol): of_row(body, sent)
        for body in bodies(cluster, topics)
        if isinstance(body, AlertBody)
    }
    for key, commands in sent.items():
        last, row = commands[-1], found.get(key)
        if not last.taken_in and (row is None or row.generation < last.offset):
            found[key] = _pending(last)
    return [one for _, one in sorted(found.items())]


def bodies(cluster: Cluster, topics: Topics) -> Iterator[object]:
    """What the evaluator's rows of groups and alerts hold, per key the newest."""
    store, spec = RowStore(), topics.changelog("groups")
    for record in everything(cluster, spec.name):
        try:
            store.load("groups", record.partition, record.key or b"", record.value)
        except RowUnreadable as error:
            raise Problem(f"{record.address}: {error}") from None
    for partition in range(spec.partitions):
        for row in store.rows("groups", partition).values():
            yield read_row(cast(GroupEntry, row.entry).body)


def of_row(body: AlertBody, sent: dict[tuple[str, str], list[Sent]]) -> Standing:
    """The alert of a row. One that is gone has left its condition to the topic, as long as that has it."""
    command = body.command
    if body.state == "removed":
        commands = sent.get((command.alert_id, command.symbol), [])
        written = next((one.command for one in commands if one.offset == body.generation), None)
        if written is not None:
            command = replace(written, effective_from_ms=command.effective_from_ms)
    return Standing(
        command.alert_id, command.user_id, command.symbol, _state(body), condition_text(command), command,
        body.generation, body.armed_from_ms, body.armed if body.state == "active" else None, body.fires,
        body.fired_ms if body.fires else None,
    )  # fmt: skip


def condition_text(command: AlertCommand) -> str:
    """The condition in one line."""
    if isinstance(command.condition, str):
        return command.condition
    try:
        return to_text(condition_from_json(command.condition))
    except ConditionError:  # refused by the evaluator too: shown as it was sent
        return msgspec.json.encode(command.condition).decode()


def _state(body: AlertBody) -> State:
    command = body.command
    if body.state == "active":
        return "active"
    if command.state == "deleted":
        return "deleted"
    if command.expires_at_ms is not None and body.removed_ms >= command.expires_at_ms:
        return "expired"
    return "fired" if command.frequency == "once" and body.fires else "refused"


def _pending(last: Sent) -> Standing:
    command = last.command
    state: State = "deleting" if command.state == "deleted" else "sent"
    return Standing(
        command.alert_id, command.user_id, command.symbol, state, condition_text(command), command, last.offset
    )  # fmt: skip


def _sent(cluster: Cluster, topics: Topics, committed: dict[int, int]) -> dict[tuple[str, str], list[Sent]]:
    """Commands still on the topic, by name and symbol, in order."""
    found: dict[tuple[str, str], list[Sent]] = {}
    for record in everything(cluster, topics.user_alerts.name):
        told = decoded(record, topics.user_alerts)
        if told is None or not isinstance(told.message, AlertCommand):
            continue
        command = told.message
        taken_in = record.offset < committed.get(record.partition, 0)
        found.setdefault((command.alert_id, command.symbol), []).append(
            Sent(record.offset, command, taken_in)
        )
    return found
