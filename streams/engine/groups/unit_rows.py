"""Rows of groups and alerts: the command, and what of their state bars alone do not tell (law 10)."""

from typing import Final, NamedTuple, TypeAlias

import msgspec

from schemas.alerts import AlertCommand, GroupCommand
from streams.engine.groups.group import Group
from streams.engine.groups.group import State as GroupState
from streams.engine.groups.notify import Alert
from streams.engine.groups.notify import State as AlertState
from streams.engine.groups.trailing import TrailRow, trail_rows

MAX_BODY: Final = 60_000
"""Bytes; no table value may exceed 64 kB, and the caller adds some."""


class GroupRow(NamedTuple):
    """A value for the table `groups`. Of two values of one key the one with the higher (generation, pos) counts.

    An empty `body` says that the key is not needed any more.
    """

    key: str
    generation: int
    pos: int
    body: bytes


class GroupBody(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """`known`: one letter per member, F, T or ? for its last known truth. `trails`: theirs, in their order."""

    command: GroupCommand
    state: GroupState
    pos: int
    removed_ms: int
    known: str
    trails: list[TrailRow] = []


class AlertBody(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    command: AlertCommand
    state: AlertState
    generation: int
    armed_from_ms: int
    pos: int
    removed_ms: int
    armed: bool
    fires: int
    fired_ms: int
    run_ms: int
    trails: list[TrailRow] = []


Body: TypeAlias = GroupBody | AlertBody
_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final[msgspec.msgpack.Decoder[Body]] = msgspec.msgpack.Decoder(Body)
_LETTERS: Final = {None: "?", True: "T", False: "F"}
_TRUTHS: Final = {letter: truth for truth, letter in _LETTERS.items()}


def read_row(body: bytes) -> Body:
    """What a row holds. Raises msgspec.DecodeError for one that this version did not write."""
    return _decoder.decode(body)


def group_row(group: Group) -> GroupRow:
    """The row of a group as it stands. A held or removed one needs no members to be recognised."""
    command = group.command if group.state == "armed" else msgspec.structs.replace(group.command, members=[])
    known = "".join(_LETTERS[watch.known] for watch in group.watches)
    body = _encode(GroupBody(command, group.state, group.pos, group.removed_ms, known, trail_rows(group)))
    return GroupRow(group.key, group.generation, group.pos, body)


def alert_row(alert: Alert) -> GroupRow:
    """The row of an alert as it stands."""
    command = alert.command
    if alert.state == "removed":
        command = msgspec.structs.replace(command, condition="", message="")
    body = AlertBody(
        command, alert.state, alert.generation, alert.armed_from_ms, alert.pos, alert.removed_ms, alert.armed,
        alert.fires, alert.fired_ms, alert.run_ms, trail_rows(alert),
    )  # fmt: skip
    return GroupRow(alert.key, alert.generation, alert.pos, _encode(body))


def group_of(body: GroupBody) -> Group:
    """The group of a row, its members not yet watched."""
    group = Group(body.command, body.pos, body.state)
    group.removed_ms = body.removed_ms
    return group


def alert_of(body: AlertBody) -> Alert:
    """The alert of a row, its condition not yet watched."""
    alert = Alert(body.command, body.generation, body.armed_from_ms, body.pos)
    alert.state, alert.removed_ms = body.state, body.removed_ms
    alert.armed, alert.fires, alert.fired_ms, alert.run_ms = (
        body.armed,
        body.fires,
        body.fired_ms,
        body.run_ms,
    )
    return alert


def known_of(body: GroupBody) -> list[bool | None]:
    """Last known truths of the members, in their order."""
    return [_TRUTHS[letter] for letter in body.known]
