"""What `strikeline explain` reads: the commands of an alert, its symbol's rows, and the symbol's klines and ticks."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from schemas.alerts import AlertCommand, GroupCommand
from schemas.market import Kline, Tick
from streams.cli.alertrows import bodies
from streams.cli.cluster import Cluster
from streams.cli.errors import Problem
from streams.cli.reading import decoded, everything
from streams.engine.explain.candidates import Candidate
from streams.engine.explain.explanation import Explanation, Question, explain
from streams.engine.groups.unit_rows import AlertBody, GroupBody
from streams.engine.market.snapshots import decode
from streams.rows import PARTITION_KEY, PartitionEntry, SymbolEntry
from streams.store import RowStore
from topics.partitioner import partition_for
from topics.registry import Topics
from topics.spec import TopicSpec


class Symbol(NamedTuple):
    """What the evaluator's rows say of a symbol, defaults where there are none. `poisoned`: klines never handled."""

    interval: str | None = None
    fill_up_to: int = 5
    origin_ms: int | None = None
    poisoned: frozenset[int] = frozenset()


def explained(cluster: Cluster, topics: Topics, alert_id: str, at_ms: int, symbol: str | None) -> Explanation:
    """The explanation of an alert or a group's member. Raises Problem where there is none of that name, or several."""
    commands = _commands(cluster, topics, alert_id)
    symbols = sorted({one.command.symbol for one in commands if one.has(alert_id)})
    if symbol is not None:
        symbols = [one for one in symbols if one == symbol]
    if not symbols:
        where = f" on {symbol}" if symbol else ""
        raise Problem(
            f"no alert {alert_id}{where}, neither in the evaluator's table nor on {topics.user_alerts.name} and "
            f"{topics.alerts.name}, which keep 30 days"
        )
    if len(symbols) > 1:
        raise Problem(f"alert {alert_id} is on {', '.join(symbols)}: say which with --symbol")
    name = symbols[0]
    known = _symbol(cluster, topics, name)
    on_tick = any(isinstance(one.command, AlertCommand) and one.command.on == "tick" for one in commands)
    records = _records(cluster, topics, name, known, at_ms, forming=on_tick)
    interval = known.interval or next((one.interval for one in records if isinstance(one, Kline)), "1m")
    question = Question(alert_id, at_ms, name, interval, known.fill_up_to, known.origin_ms)
    return explain(question, [one for one in commands if one.command.symbol == name], records)


def _commands(cluster: Cluster, topics: Topics, alert_id: str) -> list[Candidate]:
    """All commands of the alert, or of groups that ever had such a member, in the order of their offsets."""
    rows = list(_of_rows(bodies(cluster, topics), alert_id))
    own = [*_told(cluster, topics.user_alerts, alert_id)]
    mine = [one for one in own if one.has(alert_id)]
    if mine or any(isinstance(one.command, AlertCommand) for one in rows):
        return _merged([one for one in rows if isinstance(one.command, AlertCommand)], mine)
    groups = {one.name for one in rows}
    # A group's later generations may have lost the member, and its removal names none: what tells is the group.
    told = list(_told(cluster, topics.alerts, None))
    groups |= {one.name for one in told if one.has(alert_id)}
    return _merged(rows, [one for one in told if one.name in groups])


def _of_rows(rows: Iterable[object], alert_id: str) -> Iterator[Candidate]:
    """Commands in force now, which the topics may have forgotten. A row of what is over has no condition any more."""
    for body in rows:
        if isinstance(body, AlertBody) and body.state == "active":
            candidate = Candidate(body.command, body.generation, body.armed_from_ms)
        elif isinstance(body, GroupBody) and body.state == "armed":
            candidate = Candidate(body.command, body.command.generation, body.command.armed_from_ms)
        else:
            continue
        if candidate.has(alert_id):
            yield candidate


def _merged(rows: list[Candidate], told: list[Candidate]) -> list[Candidate]:
    """What is only in the table, because the topic has forgotten it and all before it, then those of the topic."""
    known = {(one.name, one.command.symbol, one.generation) for one in told}
    only = [one for one in rows if (one.name, one.command.symbol, one.generation) not in known]
    return [*only, *told]


def _told(cluster: Cluster, spec: TopicSpec, mention: str | None) -> Iterator[Candidate]:
    """The commands of a topic; with `mention` only those whose bytes have it somewhere."""
    wanted = b"" if mention is None else mention.encode()
    for record in everything(cluster, spec.name):
        if record.value is None or wanted not in record.value:
            continue
        told = decoded(record, spec)
        if told is not None and isinstance(told.message, AlertCommand):
            yield Candidate(told.message, record.offset, record.timestamp_ms)
        elif told is not None and isinstance(told.message, GroupCommand):
            yield Candidate(told.message, told.message.generation, record.timestamp_ms)


def _symbol(cluster: Cluster, topics: Topics, symbol: str) -> Symbol:
    store, partition = RowStore(), partition_for(symbol.encode(), topics.partitions)
    for table in ("symbols", "partitions"):
        name = topics.changelog(table).name
        for record in cluster.read(name, {partition: cluster.bounds(name)[partition].begin}):
            if table == "partitions" or record.key == symbol.encode():
                store.load(table, partition, record.key or b"", record.value)
    own = store.rows("partitions", partition).get(PARTITION_KEY)
    poisoned = frozenset(cast(PartitionEntry, own.entry).poisoned) if own is not None else frozenset[int]()
    row = store.rows("symbols", partition).get(symbol.encode())
    if row is None:
        return Symbol(poisoned=poisoned)
    entry = cast(SymbolEntry, row.entry)
    saved = decode(entry.snapshot)[0]
    return Symbol(entry.interval, saved.fill_up_to, saved.origin_ms, poisoned)


def _records(
    cluster: Cluster, topics: Topics, symbol: str, known: Symbol, at_ms: int, *, forming: bool
) -> list[Kline | Tick]:
    """The symbol's klines and ticks, from the earliest there are to the first bar that closed at or after `at_ms`.

    Updates of forming bars only with `forming`: there may be a hundred for each bar.
    """
    spec, key = topics.klines, symbol.encode()
    partition = partition_for(key, topics.partitions)
    found: list[Kline | Tick] = []
    for record in cluster.read(spec.name, {partition: cluster.bounds(spec.name)[partition].begin}):
        if record.key != key or record.offset in known.poisoned:
            continue
        told = decoded(record, spec)
        message = told.message if told is not None else None
        if isinstance(message, Tick):
            found.append(message)
        elif isinstance(message, Kline) and known.interval in (None, message.interval):
            if message.closed or forming:
                found.append(message)
            if message.closed and message.close_time_ms >= at_ms:
                break
    return found
