"""Users' alerts onto their topic: what a file changes, and the evaluator's answers from `bots.events.v1`."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from schemas.alerts import AlertCommand
from schemas.events import BotEvent
from streams.cli.alertrows import LIVING, Standing
from streams.cli.applying import SOURCE, Answer
from streams.cli.cluster import Cluster
from streams.cli.errors import Problem
from streams.cli.reading import decoded
from topics.codec import cloud_headers, encode
from topics.records import DeliveryFailed, Outgoing
from topics.registry import Topics

_ANSWERS = frozenset({"armed", "warming", "rejected", "removed"})


class Changes(NamedTuple):
    """What a file asks for: commands to be sent, in their order, and alerts that stay as they are."""

    todo: list[AlertCommand]
    same: list[AlertCommand]


def changes(wanted: Iterable[AlertCommand], known: Sequence[Standing], *, force: bool) -> Changes:
    """What must be sent so that `wanted` is in force. An alert that changes its symbol is deleted on the old one
    first.

    Raises Problem for an alert that belongs to another user.
    """
    todo: list[AlertCommand] = []
    same: list[AlertCommand] = []
    for alert in wanted:
        namesakes = [one for one in known if one.alert_id == alert.alert_id]
        for other in namesakes:
            if other.state in LIVING and other.user_id != alert.user_id:
                raise Problem(f"alert {other.alert_id} on {other.symbol} belongs to {other.user_id}")
        moved = [one for one in namesakes if one.symbol != alert.symbol and one.state in LIVING]
        todo += map(deletion, moved)
        before = next((one for one in namesakes if one.symbol == alert.symbol), None)
        if not force and before is not None and _says(before, alert):
            same.append(before.command)
        else:
            todo.append(alert)
    return Changes(todo, same)


def deletion(alert: Standing) -> AlertCommand:
    """The command that deletes it."""
    return AlertCommand(alert_id=alert.alert_id, user_id=alert.user_id, symbol=alert.symbol, state="deleted")


def dated(command: AlertCommand, newest: Mapping[str, int | None]) -> AlertCommand:
    """`command` from the newest close or tick of its symbol on, from its first candle where there is none."""
    if command.effective_from_ms is not None:
        return command
    return replace(command, effective_from_ms=newest.get(command.symbol) or 0)


def send(cluster: Cluster, topics: Topics, commands: Iterable[AlertCommand]) -> None:
    """Produce the commands and wait for the broker. Raises Problem when it did not take them."""
    cluster.bounds(topics.user_alerts.name)
    try:
        asyncio.run(_send(cluster, topics, commands))
    except DeliveryFailed as failed:
        raise Problem(f"{cluster.name} did not take the alerts: {failed}") from None


async def _send(cluster: Cluster, topics: Topics, commands: Iterable[AlertCommand]) -> None:
    publisher = cluster.publisher()
    now_ms = int(time.time() * 1_000)
    for command in commands:
        time_ms = command.effective_from_ms or now_ms
        event_id = f"{command.alert_id}/{command.symbol}/{now_ms}"
        headers = cloud_headers(command, SOURCE, event_id, time_ms)
        publisher.send(
            Outgoing(topics.user_alerts.name, command.symbol.encode(), encode(command), time_ms, headers)
        )
    await publisher.flush()


def await_answers(
    cluster: Cluster,
    topics: Topics,
    commands: Sequence[AlertCommand],
    since: Mapping[int, int],
    seconds: float,
) -> dict[tuple[str, str], Answer]:
    """The evaluator's answer to each command by name and symbol, `sent` where there is none after `seconds`."""
    found = {(one.alert_id, one.symbol): Answer() for one in commands}
    deadline = time.monotonic() + seconds
    for record in cluster.follow(topics.events.name, since):
        told = None if record is None else decoded(record, topics.events)
        event = told.message if told is not None else None
        if isinstance(event, BotEvent) and event.event in _ANSWERS and event.symbol is not None:
            key = event.subject, event.symbol
            if key in found:
                found[key] = Answer(event.event, event.field, event.reason)
        # At a quiet moment only: what says that an alert warms up comes right behind what says that it is armed.
        quiet = record is None and all(answer.event != "sent" for answer in found.values())
        if quiet or time.monotonic() > deadline:
            break
    return found


def _says(before: Standing, alert: AlertCommand) -> bool:
    """Does what stands say the same, leaving out from when? One that fired once or expired is done, not gone."""
    if before.state not in LIVING | {"fired", "expired"}:
        return False
    command = before.command
    if alert.effective_from_ms is None:
        command = replace(command, effective_from_ms=None)
    return command == alert
