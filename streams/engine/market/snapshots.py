"""A market as bytes: its older anchor, and what has happened since that no bar can tell.

The bars are not in it: they are read back from the topic, from `begins_ms` on, and run again. Rows of higher
timeframes that a window or `bars_ago` still reaches are, for their base bars may be weeks old.
"""

from typing import Final

import msgspec
import numpy as np

from streams.engine.bars import ROW_WIDTH, BarArrays, Floats, Ints
from streams.engine.errors import HistoryGone
from streams.engine.market.anchors import Anchor
from streams.engine.market.folding import HigherFrame, OpenBucket
from streams.engine.market.frames import Frame
from streams.engine.market.layout import Layout, lay_out
from streams.engine.market.nodes import Key, Node
from streams.engine.market.operands import DAY_MS, Operands
from streams.engine.market.tape import Tape


class SavedNode(msgspec.Struct, frozen=True, array_like=True):
    """`f`, `i`: the state at the anchor; `tail`: the last values before it, as many as `bars_ago` needs."""

    key: Key
    f: bytes
    i: bytes
    tail: bytes
    depth: int
    start_row: int
    released_ms: int | None
    seeded_from_ms: int | None


class SavedFrame(msgspec.Struct, frozen=True, array_like=True):
    """`rows` holds `columns` of the rows before `next_row` that windows reach; none for the base frame."""

    timeframe: str
    next_row: int
    clean_row: int
    bucket: OpenBucket | None
    columns: tuple[int, ...]
    rows: bytes
    nodes: tuple[SavedNode, ...]


class SavedAnchor(msgspec.Struct, frozen=True, array_like=True):
    """The state before base bar `index`; `begins` is the base bar from which on bars must be read back."""

    index: int
    begins: int
    begins_ms: int
    frames: tuple[SavedFrame, ...]


class Saved(msgspec.Struct, frozen=True):
    """A market's row. `anchor` is a SavedAnchor, encoded once and used until the next one, or nil before any
    bar.
    """

    symbol: str
    interval: str
    fill_up_to: int
    capacity: int
    origin_ms: int | None
    seeded_from_ms: int | None
    counters: dict[str, int]
    next: int
    last_open_ms: int | None
    anchor: msgspec.Raw


_SAVED: Final = msgspec.msgpack.Decoder(Saved)
_ANCHOR: Final = msgspec.msgpack.Decoder(SavedAnchor | None)


def decode(snapshot: bytes) -> tuple[Saved, SavedAnchor | None]:
    """A row and its anchor."""
    saved = _SAVED.decode(snapshot)
    return saved, _ANCHOR.decode(saved.anchor)


def begins_at(tape: Tape, anchor: Anchor) -> int:
    """The base bar from which on bars must be read back to restart at `anchor`."""
    # As far back as values are kept, not only what kernels read: every row of the base frame needs its time.
    # One bar at least, because a gap right before the anchor's bar shows only beside the bar before it.
    return tape.real_at_or_before(anchor.index - tape.frame.rows_behind(1))


def save_anchor(tape: Tape, operands: Operands) -> msgspec.Raw:
    """The older anchor, encoded."""
    if not operands.anchors:
        return msgspec.Raw(msgspec.msgpack.encode(None))
    anchor = operands.anchors[0]
    begins = begins_at(tape, anchor)
    frames = tuple(_save_frame(frame, anchor, frame is tape.frame) for frame in operands.frames.values())
    saved = SavedAnchor(anchor.index, begins, tape.timeline.open_time_ms(begins), frames)
    return msgspec.Raw(msgspec.msgpack.encode(saved))


def _save_frame(frame: Frame, anchor: Anchor, is_base: bool) -> SavedFrame:
    at = anchor.frames[frame.timeframe]
    nodes = tuple(_save_node(node, frame, anchor) for node in frame.nodes)
    columns = () if is_base else frame.columns_read()
    rows = frame.rows(frame.bars, at.next_row - frame.lookback(), at.next_row)[:, list(columns)]
    return SavedFrame(frame.timeframe, at.next_row, at.clean_row, at.bucket, columns, rows.tobytes(), nodes)


def _save_node(node: Node, frame: Frame, anchor: Anchor) -> SavedNode:
    f, i = anchor.states[frame.timeframe, node.key]
    end = anchor.frames[frame.timeframe].next_row
    tail = frame.rows(frame.out, max(end - node.depth, node.from_row), end)[
        :, node.column : node.column + node.width
    ]
    return SavedNode(
        node.key, f.tobytes(), i.tobytes(), tail.tobytes(), node.depth, node.start_row, node.released_ms,
        node.seeded_from_ms,
    )  # fmt: skip


def read_back(saved: Saved, anchor: SavedAnchor, bars: BarArrays, step_ms: int) -> tuple[BarArrays, Layout]:
    """Of what was read back: the records at or after the anchor, and the rows before it, laid out."""
    last_ms = saved.last_open_ms or 0
    kept = bars.accepted(anchor.begins_ms, last_ms + 1)
    if not len(kept) or kept.open_time_ms[0] != anchor.begins_ms or kept.open_time_ms[-1] != last_ms:
        raise HistoryGone(saved.symbol, anchor.begins_ms)
    layout = lay_out(kept, step_ms, saved.fill_up_to)
    filled = np.zeros(len(layout.rows), bool)
    filled[layout.filled] = True
    before = anchor.index - anchor.begins
    since = int(np.count_nonzero(~filled[:before]))  # records before the anchor
    return BarArrays(kept.open_time_ms[since:], kept.ohlcv[since:]), layout


def restore_anchor(anchor: SavedAnchor, layout: Layout, tape: Tape, operands: Operands, now_ms: int) -> None:
    """Put a new market where it was before the anchor's bar came."""
    begins, index = anchor.begins, anchor.index
    for row, opened in layout.runs:
        if row < max(index - begins, 1):
            tape.timeline.begin_run(begins + row, opened)
    tape.filled = {begins + row for row in layout.filled if begins + row < index}
    tape.first = index
    last_ms = tape.timeline.open_time_ms(index - 1) if index > begins else anchor.begins_ms - tape.step_ms
    tape.expected_ms = last_ms + tape.step_ms
    for saved in anchor.frames:
        if saved.timeframe == tape.interval:
            frame, rows = tape.frame, layout.rows[: index - begins]
        else:
            frame, rows = operands.add_frame(saved.timeframe), _rows(saved)
        _restore_frame(frame, saved, rows, index)
        if frame is tape.frame:
            frame.opens_at(tape.expected_ms)
        for node in saved.nodes:
            operands.nodes[saved.timeframe, node.key] = _restore_node(frame, node, saved, now_ms)
    releases = [node.released_ms for node in operands.nodes.values() if node.released_ms is not None]
    operands.expires_ms = min((at + DAY_MS for at in releases), default=operands.expires_ms)


def _rows(saved: SavedFrame) -> Floats:
    columns = len(saved.columns)
    some = np.frombuffer(saved.rows).reshape(-1, columns) if columns else np.empty((0, 0))
    rows = np.full((len(some), ROW_WIDTH), np.nan)
    rows[:, list(saved.columns)] = some
    return rows


def _restore_frame(frame: Frame, saved: SavedFrame, rows: Floats, index: int) -> None:
    frame.begin_at(saved.next_row, rows, saved.clean_row)
    if isinstance(frame, HigherFrame) and saved.bucket is not None:
        frame.reopen(saved.bucket, index)


def _restore_node(frame: Frame, saved: SavedNode, at: SavedFrame, now_ms: int) -> Node:
    node = Node(saved.key, saved.depth)
    frame.add(node)
    f: Floats = np.frombuffer(saved.f)
    i: Ints = np.frombuffer(saved.i, np.int64)
    node.restore((f, i))
    tail = np.frombuffer(saved.tail).reshape(-1, node.width)
    node.start_row, node.from_row = saved.start_row, at.next_row - len(tail)
    frame.set_values(node, node.from_row, tail)
    node.released_ms = now_ms if saved.released_ms is None else saved.released_ms
    node.seeded_from_ms = saved.seeded_from_ms
    return node
