"""How a pipeline is doing, from what can be seen from outside: topics, offsets, processes, the database."""

import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from streams.cli.applying import lag
from streams.cli.cluster import Cluster
from streams.cli.context import Place
from streams.cli.reading import decoded, event_time
from streams.cli.stack import PROCESSES, LocalProcess, read_stack
from streams.cli.times import show_span
from topics.registry import Topics

_MOST_DIFFERENCES: Final = 20


class Reader(msgspec.Struct, frozen=True):
    """A consumer group's place on a topic: offsets processed and still to do."""

    group: str
    topic: str
    done: int
    lag: int


class Health(msgspec.Struct, frozen=True):
    """Everything `status` tells. `newest_ms` is event time; `problems` is empty when all is well."""

    broker: str
    namespace: str
    missing_topics: list[str]
    newest_ms: dict[str, int]
    readers: list[Reader]
    processes: dict[str, int | None]
    groups: dict[str, int] | None
    deals: dict[str, int] | None
    dead_letters: dict[str, int]
    differences: list[str]
    problems: list[str]


def look(place: Place, watch_s: float, max_age_min: float) -> Health:
    """Look twice, `watch_s` seconds apart where something lags: a lag that does not move is a problem."""
    cluster, topics = place.cluster, place.topics
    present = cluster.names()
    missing = [spec.name for spec in topics.all() if spec.name not in present]
    newest: dict[str, int] = {}
    first: list[Reader] = []
    second: list[Reader] = []
    if not missing:
        newest = newest_of_all(cluster, topics)
        first = second = readers(cluster, topics, place.database)
        if any(reader.lag for reader in first):
            time.sleep(watch_s)
            second = readers(cluster, topics, place.database)
    dead = dead_letters(cluster, topics, present)
    processes = _processes(place)
    database = _database(place)
    differing = [] if missing else _differences(place)
    problems = [f"topic {name} is missing" for name in missing]
    # A notifier's lag is also what waits for a digest, or behind a channel that is tried again.
    may_wait = topics.group("notifier")
    problems += _standing_still(
        [r for r in first if r.group != may_wait], [r for r in second if r.group != may_wait]
    )
    problems += [f"{count} dead letters on {name}" for name, count in dead.items()]
    problems += [f"{name} is not running" for name, pid in processes.items() if pid is None]
    problems += _too_old(newest, max_age_min)
    problems += differing[:_MOST_DIFFERENCES]
    if len(differing) > _MOST_DIFFERENCES:
        problems.append(f"{len(differing) - _MOST_DIFFERENCES:,} more differences; `--json` has them all")
    return Health(
        cluster.name, topics.namespace, missing, newest, second, processes, *database, dead, differing, problems
    )  # fmt: skip


def newest_of_all(cluster: Cluster, topics: Topics) -> dict[str, int]:
    """Event time of the newest close or tick of each symbol near the end of the kline topic."""
    spec = topics.klines
    start = {p: max(b.begin, b.end - 5_000) for p, b in cluster.bounds(spec.name).items() if b.end > b.begin}
    newest: dict[str, int] = {}
    for record in cluster.read(spec.name, start):
        told = decoded(record, spec)
        if told is not None and record.key is not None:
            symbol = record.key.decode()
            newest[symbol] = max(newest.get(symbol, 0), event_time(told))
    return dict(sorted(newest.items()))


def readers(cluster: Cluster, topics: Topics, database: str | None) -> list[Reader]:
    """Where everybody is on each of their sources; the executor's truth is in its database."""
    applied: dict[str, dict[int, int]] = {}
    if database is not None:
        from streams.cli.database import applied_offsets

        applied = applied_offsets(database)
    found = []
    sources = {
        topics.group("evaluator"): (topics.klines, topics.alerts, topics.user_alerts),
        topics.group("executor"): (
            topics.configs,
            topics.triggers,
            *((topics.orders,) if topics.orders.name in applied else ()),  # a live venue's
        ),
    }
    for group, specs in sources.items():
        for spec in specs:
            bounds = cluster.bounds(spec.name)
            committed = applied.get(spec.name) or cluster.committed(group, spec.name)
            done = sum(max(0, committed.get(p, b.begin) - b.begin) for p, b in bounds.items())
            found.append(Reader(group, spec.name, done, lag(bounds, committed)))
    return found + _notifier(cluster, topics)


def _notifier(cluster: Cluster, topics: Topics) -> list[Reader]:
    """The notifier, where there ever was one: nobody needs it."""
    group, name = topics.group("notifier"), topics.fired.name
    committed = cluster.committed(group, name)
    if not committed:
        return []
    bounds = cluster.bounds(name)
    done = sum(max(0, committed.get(p, b.begin) - b.begin) for p, b in bounds.items())
    return [Reader(group, name, done, lag(bounds, committed))]


def dead_letters(cluster: Cluster, topics: Topics, present: Iterable[str]) -> dict[str, int]:
    """Dead-letter topics that hold any, with how many offsets they hold."""
    names = {spec.name for spec in topics.all() if spec.name.endswith(".dlq")} & set(present)
    counts = {name: sum(b.end - b.begin for b in cluster.bounds(name).values()) for name in sorted(names)}
    return {name: count for name, count in counts.items() if count}


def _processes(place: Place) -> dict[str, int | None]:
    """Processes of the local stack that were started, None for one that is gone; none for one elsewhere."""
    if read_stack(place.folder) is None:
        return {}
    known = (name for name in PROCESSES if (place.folder / f"{name}.pid").exists())
    return {name: LocalProcess(place.folder, name).pid for name in known}


def _database(place: Place) -> tuple[dict[str, int] | None, dict[str, int] | None]:
    """Counts of groups and of deals by state; None where no database was named or it cannot be read."""
    if place.database is None:
        return None, None
    from streams.cli.database import counts_by_state

    return counts_by_state(place.database, "groups"), counts_by_state(place.database, "deals")


def _differences(place: Place) -> list[str]:
    """What the reconciler finds, a sentence each."""
    if place.database is None:
        return []
    from streams.cli.differences import differences

    found = differences(place.cluster, place.topics, place.database)
    return [f"{finding.kind}: {finding.subject}: {finding.reason}" for finding in found]


def _standing_still(first: list[Reader], second: list[Reader]) -> list[str]:
    return [
        f"{now.group} stands still on {now.topic}, {now.lag:,} records behind"
        for before, now in zip(first, second, strict=True)
        if before.lag and now.lag and now.done <= before.done
    ]


def _too_old(newest: dict[str, int], max_age_min: float) -> list[str]:
    if not max_age_min:
        return []
    now = time.time() * 1_000
    return [
        f"{symbol}: nothing for {show_span(now - at)}"
        for symbol, at in newest.items()
        if now - at > max_age_min * 60_000
    ]


def as_json(health: Health) -> dict[str, Any]:
    """The form of `status --json`, with ages for those who do not want to count."""
    now = time.time() * 1_000
    raw: dict[str, Any] = msgspec.to_builtins(health)
    raw["newest_age_s"] = {symbol: round((now - at) / 1_000, 1) for symbol, at in health.newest_ms.items()}
    return raw
