"""Anchors: copies of a market's state at a base bar, from which a restart runs on over bars read back.

Two are kept, `EVERY` bars apart. A node acquired later is computed through them, so an anchor always knows
every node.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from streams.engine.market.folding import HigherFrame, OpenBucket
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Key, State, States

EVERY: Final = 720
KEPT: Final = 2

Place: TypeAlias = tuple[str, Key]  # timeframe and node


@dataclass(frozen=True, slots=True)
class FrameAnchor:
    """A frame before the anchor's bar came: number of its next row, first clean row, the open bucket if it is
    folded.
    """

    next_row: int
    clean_row: int
    bucket: OpenBucket | None = None


@dataclass(slots=True)
class Anchor:
    """The state before base bar `index` came."""

    index: int
    frames: dict[str, FrameAnchor] = field(default_factory=dict)
    states: dict[Place, State] = field(default_factory=dict)

    def take(self, frame: Frame) -> None:
        """Record `frame`, which has seen the base bars before `index` and nothing after."""
        bucket = frame.open_bucket(self.index) if isinstance(frame, HigherFrame) else None
        self.frames[frame.timeframe] = FrameAnchor(frame.next, frame.marks[-1][1], bucket)
        self._keep(frame, frame.states())

    def put(self, frame: Frame, next_row: int, states: States) -> None:
        """Record a frame as it was before row `next_row` came, with no gap since."""
        self.frames[frame.timeframe] = FrameAnchor(next_row, frame.marks[-1][1])
        self._keep(frame, states)

    def _keep(self, frame: Frame, states: States) -> None:
        for node, state in states.items():
            self.states[frame.timeframe, node.key] = state
