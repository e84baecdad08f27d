"""Who is told where: users, their channels and their limits, from the operator's `notifier.yaml`.

    defaults: {messages_per_minute: 10, digest_seconds: 60, max_age_minutes: 60, old_alerts: summary}
    users:
      alice:
        messages_per_minute: 5
        channels:
          - tgram://TOKEN/CHAT
          - {url: "jsons://example.com/hook", name: hook, tags: [phone]}

URLs are secrets: no error and no log line repeats one.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.message import Tag, UserId
from sinks.notifier.channel import AppriseChannel, Channel
from sinks.notifier.errors import BadDirectory
from sinks.notifier.services import Unusable, scheme_of, service_of
from topics.yaml_lines import BadYaml, Lined, Place, lined

MAX_CHANNELS: Final = 10
_Old = Literal["summary", "drop", "send"]
_Minute = Annotated[int, Meta(ge=0, le=600)]
_Seconds = Annotated[int, Meta(ge=1, le=3_600)]
_Minutes = Annotated[int, Meta(ge=1, le=525_600)]
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `messages_per_minute` messages, everything else in one digest, at the latest `digest_seconds` after the
    first alert in it; 0 messages: digests only. An alert whose bar closed more than `max_age_minutes` ago (by the
    wall clock) is old: told in the digest, dropped, or sent like any other.
    """

    messages_per_minute: _Minute = 10
    digest_seconds: _Seconds = 60
    max_age_minutes: _Minutes = 60
    old_alerts: _Old = "summary"


class _Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    name: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")] | None = None
    tags: list[Tag] = []


class _User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    channels: Annotated[list[str | _Channel], Meta(min_length=1, max_length=MAX_CHANNELS)]
    messages_per_minute: _Minute | UnsetType = UNSET
    digest_seconds: _Seconds | UnsetType = UNSET
    max_age_minutes: _Minutes | UnsetType = UNSET
    old_alerts: _Old | UnsetType = UNSET


class Target(NamedTuple):
    """A channel and the tags that lead to it."""

    channel: Channel
    tags: frozenset[str]


class User(NamedTuple):
    """`targets` by the channel's name."""

    user_id: str
    limits: Limits
    targets: Mapping[str, Target]

    def targets_for(self, tags: list[str]) -> list[str]:
        """Names of the channels of an alert with these tags: those with one of them, without tags all."""
        return [name for name, target in self.targets.items() if not tags or target.tags.intersection(tags)]


Directory = Mapping[str, User]


def load_directory(path: Path, deadline_s: float) -> Directory:
    """Users by id. Raises BadDirectory with the file, the line and the field of the first thing that is wrong."""
    try:
        tree = lined(path)
    except BadYaml as wrong:
        raise BadDirectory(f"{path}: {wrong}") from None
    return _Reader(path, tree, deadline_s).directory()


class _Reader:
    def __init__(self, path: Path, tree: Lined, deadline_s: float) -> None:
        self._path = path
        self._tree = tree
        self._deadline_s = deadline_s

    def directory(self) -> Directory:
        top = self._tree.data
        if not isinstance(top, dict):
            raise self._wrong((), "expected `users`, and what each of them has")
        if unknown := sorted(top.keys() - {"defaults", "schemes", "users"}):
            raise self._wrong((unknown[0],), "unknown field; there are defaults, schemes, users")
        defaults = self._as(Limits, top.get("defaults", {}), ("defaults",))
        schemes = frozenset(self._as(list[str], top.get("schemes", []), ("schemes",)))
        users = top.get("users", {})
        if not isinstance(users, dict):
            raise self._wrong(("users",), "expected user ids, each with its channels")
        return {name: self._user(name, fields, defaults, schemes) for name, fields in users.items()}

    def _user(self, name: str, fields: Any, defaults: Limits, schemes: frozenset[str]) -> User:
        place: Place = ("users", name)
        self._as(UserId, name, place)
        user = self._as(_User, fields, place)
        own = {field: getattr(user, field) for field in Limits.__struct_fields__}
        limits = msgspec.structs.replace(defaults, **{k: v for k, v in own.items() if v is not UNSET})
        targets: dict[str, Target] = {}
        for number, entry in enumerate(user.channels):
            where: Place = (*place, "channels", number)
            entry = _Channel(entry) if isinstance(entry, str) else entry
            channel = self._channel(entry, number, where, schemes)
            if channel.name in targets:
                raise self._wrong((*where, "name"), f"{channel.name} stands twice")
            targets[channel.name] = Target(channel, frozenset(entry.tags))
        return User(name, limits, targets)

    def _channel(self, entry: _Channel, number: int, where: Place, schemes: frozenset[str]) -> Channel:
        try:
            scheme = scheme_of(entry.url)
            service = service_of(entry.url, schemes)
        except Unusable as wrong:
            raise self._wrong((*where, "url"), str(wrong)) from None
        return AppriseChannel(entry.name or f"{scheme}-{number + 1}", scheme, service, self._deadline_s)

    def _as(self, kind: Any, value: Any, place: Place) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as wrong:
            text = str(wrong)
            found = _PATH.search(text)
            inner = _places(found[1]) if found else ()
            raise self._wrong((*place, *inner), _PATH.sub("", text)) from None

    def _wrong(self, place: Place, reason: str) -> BadDirectory:
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        where = f"{self._path}, line {self._tree.line(place)}"
        return BadDirectory(f"{where}: {field}: {reason}" if field else f"{where}: {reason}")


def _places(path: str) -> Place:
    """`channels[0].url` as a place."""
    return tuple(int(part) if part.isdecimal() else part for part in re.findall(r"[^.\[\]]+", path))
