"""From table rows and bars read back to a running partition. A cold start is a recovery from no rows."""

import asyncio
import logging
from typing import NamedTuple, TypeAlias, cast

from streams.engine.bars import BarArrays
from streams.engine.errors import HistoryGone, NeedsHistory, OtherState
from streams.engine.groups.unit_rows import GroupBody, read_row
from streams.engine.market.market import Market
from streams.engine.market.snapshots import decode
from streams.engine.symbol import SymbolEngine
from streams.history import History, Wanted
from streams.history_files import NOT_ITS_OWN
from streams.partition_state import NeedsBars, State
from streams.rows import (
    PARTITION_KEY,
    SUSPECT,
    GroupEntry,
    Offsets,
    PartitionEntry,
    SuspectEntry,
    SymbolEntry,
)
from streams.seat import Note, Seat
from streams.store import RowStore

Groups: TypeAlias = list[tuple[str, GroupEntry]]
_log = logging.getLogger("strikeline.evaluator")


class Plan(NamedTuple):
    """What the rows of a partition say. `start`: the next offset of each source to be handled."""

    start: Offsets
    symbols: dict[str, SymbolEntry]
    groups: dict[str, Groups]
    suspects: dict[str, SuspectEntry]
    poisoned: set[int]


def plan(store: RowStore, partition: int) -> Plan:
    """Read the rows. All sources start where the partition's row stands, or further back where a symbol's row
    was lost.

    A symbol's row behind its entry in the partition's row means that the newer value is gone (an older one
    was written over it by a worker that should have been dead, and compaction dropped it): its records are
    handled again.
    """
    rows = store.rows("partitions", partition)
    kept = rows.get(PARTITION_KEY)
    row = cast(PartitionEntry, kept.entry) if kept is not None else PartitionEntry((0, 0, 0), {})
    symbols = {
        key.decode(): cast(SymbolEntry, r.entry) for key, r in store.rows("symbols", partition).items()
    }
    start = row.offsets
    for symbol, pos in row.positions.items():
        entry = symbols.get(symbol)
        if entry is None:
            start = (0, 0, 0)
        elif entry.pos < pos:
            start = cast(Offsets, tuple(map(min, start, entry.offsets)))
    groups: dict[str, Groups] = {}
    for key, group_row in store.rows("groups", partition).items():
        entry_ = cast(GroupEntry, group_row.entry)
        source = _passed_over(entry_, symbols.get(entry_.symbol))
        if source is None:
            groups.setdefault(entry_.symbol, []).append((key.decode().partition(" ")[2], entry_))
        else:
            start = cast(
                Offsets,
                tuple(min(at, entry_.command_offset) if k == source else at for k, at in enumerate(start)),
            )
    suspects = {
        key.removeprefix(SUSPECT).decode(): cast(SuspectEntry, r.entry)
        for key, r in rows.items()
        if key.startswith(SUSPECT)
    }
    return Plan(start, symbols, groups, suspects, set(row.poisoned))


def _passed_over(group: GroupEntry, symbol: SymbolEntry | None) -> int | None:
    """The source (1 or 2) whose command must be handled again, because the group never saw bars that its market has.

    So it is where a worker that should have been dead got further with the bars than its successor, and never heard of
    the successor's command. Of one worker a group is armed at its symbol's position or after it.
    """
    if symbol is None or group.pos >= symbol.pos or group.command_offset < min(symbol.offsets[1:]):
        return None
    row = read_row(group.body)
    if row.state not in {"armed", "active"}:
        return None
    source = 1 if isinstance(row, GroupBody) else 2
    return source if group.command_offset >= symbol.offsets[source] else None


async def recover(store: RowStore, partition: int, history: History, fill_up_to: int = 5) -> State:
    """The state of `partition` as its rows have it. One pass over its klines restores all its markets.

    A market keeps the `fill_up_to` it began with, unless its bars are gone and it begins anew.
    """
    found = plan(store, partition)
    history.pass_over(partition, found.poisoned)
    bars = await _bars(found, partition, history)
    state = State(
        offsets=found.start, suspects=found.suspects, poisoned=found.poisoned, fill_up_to=fill_up_to
    )
    for symbol, entry in found.symbols.items():
        state.seats[symbol] = await _seat(
            entry, bars[symbol], found.groups.pop(symbol, []), partition, history, fill_up_to
        )
        await asyncio.sleep(0)
    for symbol, groups in found.groups.items():
        state.seats[symbol] = _barless(symbol, groups, fill_up_to)
    return state


async def _bars(found: Plan, partition: int, history: History) -> dict[str, BarArrays]:
    if not found.symbols:
        return {}
    wanted = {e.symbol: Wanted(e.anchor_ms, e.last_ms + 1, e.interval) for e in found.symbols.values()}
    start = min(e.back_to for e in found.symbols.values())
    stop = max(e.pos for e in found.symbols.values()) + 1
    return await history.read_back(partition, wanted, start, stop)


async def _seat(
    entry: SymbolEntry, bars: BarArrays, groups: Groups, partition: int, history: History, fill_up_to: int
) -> Seat:
    try:
        market = Market.restore(entry.snapshot, bars)
    except HistoryGone:
        _log.error(
            "%s: bars since %d are gone from the kline topic, seeding anew", entry.symbol, entry.anchor_ms
        )
        market = await _reseeded(entry, partition, history, fill_up_to)
    except OtherState as why:
        _log.warning(
            "%s: its row is of another version, computing it from the bars again: %s", entry.symbol, why
        )
        kept = decode(entry.snapshot)[0].fill_up_to  # its bars are there: a gap that was filled stays filled
        market = await _reseeded(entry, partition, history, kept)
    if market.seeded_from_ms not in (None, market.origin_ms) and entry.symbol in history.older.symbols:
        # What began later for want of bars begins at the origin, now that a file has them.
        await _load(market, entry, partition, history)
    # Up to where the sources stood, nothing but repetitions and unfinished bars can have come after `pos`.
    pos, bodies = max(entry.pos, entry.offsets[0] - 1), [group.body for _, group in groups]
    try:
        engine = SymbolEngine.restore(entry.symbol, market, bodies, pos, entry.stand_ins)
    except NeedsHistory:
        await _load(market, entry, partition, history)
        engine = SymbolEngine.restore(entry.symbol, market, bodies, pos, entry.stand_ins)
    seat = Seat(entry.symbol, market, engine, entry.interval, entry.pos, entry.origin_offset)
    seat.marks.append((entry.anchor_ms, entry.back_to))
    _note(seat, groups)
    return seat


async def _load(market: Market, entry: SymbolEntry, partition: int, history: History) -> None:
    first_ms = market.bar(market.first).open_time_ms
    needs = NeedsBars(entry.symbol, first_ms, entry.interval, market.origin_ms or 0)
    try:
        market.load_history(await history.origin_bars(partition, needs, entry.pos + 1))
    except HistoryGone:
        if not history.older.refuse(entry.symbol, NOT_ITS_OWN):
            raise
        market.load_history(await history.origin_bars(partition, needs, entry.pos + 1))


async def _reseeded(entry: SymbolEntry, partition: int, history: History, fill_up_to: int) -> Market:
    """Without what the row has: begin at the earliest bar there is, and mark what follows as such, unless that is the
    origin.
    """
    origin_ms = decode(entry.snapshot)[0].origin_ms or 0
    needs = NeedsBars(entry.symbol, entry.last_ms + 1, entry.interval, origin_ms)
    bars = await history.origin_bars(partition, needs, entry.pos + 1)
    market = Market(entry.symbol, entry.interval, fill_up_to=fill_up_to)
    market.begin_with(bars)
    first_ms = int(bars.open_time_ms[0]) if len(bars) else entry.last_ms
    market.operands.seeded_from_ms = None if first_ms == origin_ms else first_ms
    return market


def _barless(symbol: str, groups: Groups, fill_up_to: int) -> Seat:
    """Groups whose symbol has no row: no bar had come, or the process died between the two writes."""
    seat = Seat.barless(symbol, {name: group.body for name, group in groups}, fill_up_to)
    _note(seat, groups)
    return seat


def _note(seat: Seat, groups: Groups) -> None:
    for name, group in groups:
        seat.notes[name] = Note(group.generation, group.command_offset)
        if group.held_ms is not None:
            seat.holds.hold(name, group.held_ms)
