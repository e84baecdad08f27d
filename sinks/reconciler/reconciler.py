"""One look at a partition, and what is remembered between two of them.

The executor holds no timer, because what it decides must not depend on when. The reconciler decides nothing: it may
ask the clock how long something has stood still.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Engine

from sinks.executor.draft import Told
from sinks.reconciler.books import Books, TopicBounds
from sinks.reconciler.compare import compare
from sinks.reconciler.findings import Finding, told
from sinks.reconciler.following import Log, Positions
from sinks.reconciler.reading import Turn, read_books
from sinks.reconciler.sums import add_up
from topics.progress import Progress
from topics.registry import Topics


class Look(NamedTuple):
    """What one look found: all differences there are, the new ones and those that are gone, and how it stands."""

    partition: int
    newest_ms: int
    open: tuple[Finding, ...]
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    outbox_rows: int
    unread: int

    def events(self) -> list[Told]:
        """What is to be told."""
        return [
            *(told(finding, self.newest_ms) for finding in self.new),
            *(told(finding, self.newest_ms, gone=True) for finding in self.gone),
        ]


@dataclass
class _Memory:
    """Of one partition."""

    progress: Progress
    turn: Turn = field(default_factory=Turn)
    checked: dict[str, int] = field(default_factory=dict)
    open: dict[str, Finding] = field(default_factory=dict)


class Reconciler:
    """Looks at partitions of one database. One thread at a time. `stuck_s`: standing still for so long is a difference;
    `keep_ms`: how long the inbox keeps its rows, None: for ever.
    """

    def __init__(
        self,
        engine: Engine,
        topics: Topics,
        log: Log,
        *,
        interval: str = "1m",
        stuck_s: float = 120.0,
        keep_ms: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._topics = topics
        self._log = log
        self._interval = interval
        self._stuck_s = stuck_s
        self._keep_ms = keep_ms
        self._clock = clock
        self._positions = Positions(log, topics)
        self._memories: dict[int, _Memory] = {}

    def look(self, partition: int, epoch: int | None = None) -> Look | None:
        """Compare now. None where another executor owns the partition (its epoch is not `epoch`): it will look itself.

        Raises what database and client raise; nothing is remembered then.
        """
        memory = self._memories.setdefault(partition, _Memory(Progress(self._stuck_s)))
        trigger_topic = self._topics.triggers.name
        begin = self._log.bounds(trigger_topic, partition).begin
        check_from = {trigger_topic: max(begin, memory.checked.get(trigger_topic, 0))}
        books, turn = read_books(
            self._engine, self._topics, partition, memory.turn, check_from, self._keep_ms
        )
        if epoch is not None and books.epoch != epoch:
            return None
        # After the books: what left an outbox before they were read is on its topic by now.
        ends = {place.topic: self._log.bounds(place.topic, partition) for place in books.places}
        positions = self._positions.newest(partition)
        found = [*compare(books, ends, positions, self._interval), *add_up(books)]
        found += self._standing_still(memory, books, ends)
        look = self._remember(memory, books, found)
        memory.turn = turn
        memory.checked = self._next_check(books)
        return look._replace(unread=sum(_unread(books, ends).values()))

    def forget(self, partition: int) -> None:
        """It is another's now."""
        self._memories.pop(partition, None)
        self._positions.forget(partition)

    def _remember(self, memory: _Memory, books: Books, found: Iterable[Finding]) -> Look:
        now = {finding.event_id: finding for finding in found}
        now |= {
            event_id: finding
            for event_id, finding in memory.open.items()
            if event_id not in now and not _looked_at(finding, books)
        }
        new = tuple(finding for event_id, finding in now.items() if event_id not in memory.open)
        gone = tuple(finding for event_id, finding in memory.open.items() if event_id not in now)
        memory.open = now
        return Look(books.partition, books.newest_ms, tuple(now.values()), new, gone, books.outbox_rows, 0)

    def _standing_still(
        self, memory: _Memory, books: Books, ends: Mapping[str, TopicBounds]
    ) -> Iterable[Finding]:
        subject = f"partition/{books.partition}"
        nexts = {place.topic: place.next_offset for place in books.places}
        behind: dict[str, object] = {topic: nexts[topic] for topic, n in _unread(books, ends).items() if n}
        if books.outbox_head is not None:
            behind["outbox"] = books.outbox_head
        for name, seconds in memory.progress.see(self._clock(), behind).items():
            if name == "outbox":
                yield Finding(
                    "outbox_stuck", subject, str(books.outbox_head),
                    f"its first row has waited for {seconds:.0f} s, {books.outbox_rows} rows wait",
                    {"rows": books.outbox_rows, "seconds": int(seconds)},
                )  # fmt: skip
            else:
                unread, place = _unread(books, ends)[name], f"{name}[{books.partition}]@{nexts[name]}"
                yield Finding(
                    "records_unread", subject, f"{name}@{nexts[name]}",
                    f"{unread} records from {place} on wait to be applied, none was for {seconds:.0f} s",
                    {"records": unread, "seconds": int(seconds)},
                )  # fmt: skip

    def _next_check(self, books: Books) -> dict[str, int]:
        """From the first hole on, or from where the inbox is whole."""
        return {
            place.topic: min((first for first, _ in place.holes), default=place.next_offset)
            for place in books.places
            if place.topic == self._topics.triggers.name
        }


def _unread(books: Books, ends: Mapping[str, TopicBounds]) -> dict[str, int]:
    return {
        place.topic: max(0, ends[place.topic].end - max(place.next_offset, ends[place.topic].begin))
        for place in books.places
    }


def _looked_at(finding: Finding, books: Books) -> bool:
    """Would this look have found it? What goes round is not seen every time."""
    if finding.kind in {"ledger_differs", "deal_differs"}:
        return any(deal.deal_id == finding.deal_id for deal in books.deals)
    if finding.kind in {"bot_differs", "entry_differs"} or (
        finding.kind == "group_missing" and finding.subject in books.bots
    ):
        return finding.subject in books.closely
    return True
