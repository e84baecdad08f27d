"""Limits by tier, and users' tiers, from the operator's file; evaluator and executor read the same one.

default: free
tiers:
  free: {bots: 5, alerts_per_symbol: 20, nodes: 16}
  pro: {bots: 500}
users: {alice: pro}
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from schemas.limits import DEFAULT, Limits
from schemas.message import UserId
from topics.yaml_lines import BadYaml, Lined, Place, lined

_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")


class BadTiers(Exception):
    """The file says something that cannot be meant: the process must not start."""


class Tiers(NamedTuple):
    """`default` is for users who are not named."""

    default: Limits = DEFAULT
    users: Mapping[str, Limits] = {}

    def of(self, user_id: str) -> Limits:
        """What the user may have."""
        return self.users.get(user_id, self.default)


def load_tiers(path: Path) -> Tiers:
    """The tiers of a file. Raises BadTiers with the line and the field of the first thing that is wrong."""
    try:
        tree = lined(path)
    except BadYaml as wrong:
        raise BadTiers(f"{path}: {wrong}") from None
    return _Reader(path, tree).tiers()


class _Reader:
    def __init__(self, path: Path, tree: Lined) -> None:
        self._path = path
        self._tree = tree

    def tiers(self) -> Tiers:
        top = self._mapping(self._tree.data, ())
        if unknown := sorted(top.keys() - {"default", "tiers", "users"}):
            raise self._wrong((unknown[0],), "unknown field; there are default, tiers, users")
        given = self._mapping(top.get("tiers", {}), ("tiers",))
        tiers = {name: self._as(Limits, fields, ("tiers", name)) for name, fields in given.items()}
        users = self._mapping(top.get("users", {}), ("users",))
        for user_id in users:
            self._as(UserId, user_id, ("users", user_id))
        return Tiers(
            self._tier(tiers, top["default"], ("default",)) if "default" in top else DEFAULT,
            {user: self._tier(tiers, name, ("users", user)) for user, name in users.items()},
        )

    def _tier(self, tiers: Mapping[str, Limits], name: Any, place: Place) -> Limits:
        if name not in tiers:
            raise self._wrong(
                place, f"there is no tier {str(name)[:40]!r}; there are {', '.join(sorted(tiers)) or 'none'}"
            )
        return tiers[name]

    def _mapping(self, value: Any, place: Place) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(place, "expected names and what each of them has")
        return value

    def _as(self, kind: Any, value: Any, place: Place) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as wrong:
            found = _PATH.search(str(wrong))
            inner = (found[1],) if found and found[1] else ()
            raise self._wrong((*place, *inner), _PATH.sub("", str(wrong))) from None

    def _wrong(self, place: Place, reason: str) -> BadTiers:
        where = f"{self._path}, line {self._tree.line(place)}"
        field = ".".join(map(str, place))
        return BadTiers(f"{where}: {field}: {reason}" if field else f"{where}: {reason}")
