"""The groups and alerts of one symbol by name, whatever state they are in, and which rows must be written."""

from collections import Counter
from collections.abc import Iterator
from heapq import heappop, heappush

from streams.engine.groups.group import Group
from streams.engine.groups.notify import Alert
from streams.engine.groups.unit_rows import GroupRow, alert_row, group_row
from streams.engine.groups.watching import Unit

PURGE_AFTER_MS = 30 * 86_400_000
"""A removed group is remembered so long (event time), so that an old command for it is recognised."""


class Register:
    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        self._dirty: dict[str, None] = {}
        self._purges: list[tuple[int, str]] = []
        self._alerts: Counter[str] = Counter()

    def put(self, unit: Unit) -> None:
        """Enter `unit` in place of what had its name."""
        replaced = self.units.get(unit.key)
        if replaced is not None:
            self._uncount(replaced)
        self.units[unit.key] = unit
        self._count(unit)
        self.changed(unit)

    def alerts_of(self, user_id: str, besides: str) -> int:
        """How many active alerts a user has, not counting the one of that name."""
        unit = self.units.get(besides)
        same = isinstance(unit, Alert) and unit.counted and unit.command.user_id == user_id
        return self._alerts[user_id] - same

    def changed(self, unit: Unit) -> None:
        """Its row must be written."""
        unit.stored = False
        self._dirty[unit.key] = None

    def removed(self, unit: Unit, now_ms: int) -> None:
        """Remember a removed unit for as long as old commands for it may come."""
        unit.state = "removed"
        self._uncount(unit)
        unit.removed_ms = max(now_ms, 0)
        heappush(self._purges, (unit.removed_ms + PURGE_AFTER_MS, unit.key))
        self.changed(unit)

    def restored(self, unit: Unit) -> None:
        """Take in what a row told."""
        self.units[unit.key] = unit
        self._count(unit)
        if unit.state == "removed":
            heappush(self._purges, (unit.removed_ms + PURGE_AFTER_MS, unit.key))

    def rows(self, pos: int, now_ms: int) -> Iterator[GroupRow]:
        """Rows of what changed since the last call, valid at `pos`; empty bodies for what is forgotten."""
        yield from self._purged(pos, now_ms)
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            unit = self.units.get(key)
            if unit is not None:
                unit.stored = True
                unit.pos = max(unit.pos, pos)
                yield alert_row(unit) if isinstance(unit, Alert) else group_row(unit)

    def _count(self, unit: Unit) -> None:
        if isinstance(unit, Alert) and unit.state == "active" and not unit.counted:
            unit.counted = True
            self._alerts[unit.command.user_id] += 1

    def _uncount(self, unit: Unit) -> None:
        if isinstance(unit, Alert) and unit.counted:
            unit.counted = False
            self._alerts[unit.command.user_id] -= 1

    def _purged(self, pos: int, now_ms: int) -> Iterator[GroupRow]:
        while self._purges and self._purges[0][0] <= now_ms:
            due_ms, key = heappop(self._purges)
            unit = self.units.get(key)
            if unit is not None and unit.state == "removed" and unit.removed_ms + PURGE_AFTER_MS == due_ms:
                del self.units[key]
                yield GroupRow(key, unit.generation, max(pos, unit.pos), b"")

    @property
    def unsaved(self) -> bool:
        """Whether rows must be written."""
        return bool(self._dirty)

    def groups(self) -> Iterator[Group]:
        """All groups."""
        return (unit for unit in self.units.values() if isinstance(unit, Group))
