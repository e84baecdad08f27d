"""A user's alert as a state machine: when it fires, when it may fire again. All of it in event time.

An alert counts bars of its own timeframe. `debounce_bars` and `rearm_bars` count their closes, so a truth that begins
within a bar has lasted one bar when it begins and two at the second close from there.

With `on: tick` a bar's updates count before its close does, which is the last of them. It fires once per bar of its
timeframe at most; `fired_ms`, the close of the bar it fired on, tells which that was.
"""

from typing import Final, Literal

from schemas.alerts import AlertCommand
from streams.engine.conditions.comparisons import grid
from streams.engine.conditions.truth import Truth
from streams.engine.groups.message import Message
from streams.engine.network.predicates import Node

State = Literal["active", "removed"]
NEVER: Final = -1


class Alert:
    """`armed`: it fires when its condition holds. `run_ms`: since when it has held without a break, NEVER: it does not.

    `wake_ms`: when it must be looked at although its condition does not change, NEVER: not at all (`queued_ms`: when
    the engine was last asked to). `seen`: the truth noticed last. `stored`: whether its row tells all that a restart
    could not derive. `message`: what it says, while it holds operands for that; None where it says the same always.
    `counted`: the register counts it among its user's.
    """

    __slots__ = (
        "armed", "armed_from_ms", "command", "counted", "fired_ms", "fires", "generation", "length", "message",
        "node", "pos", "queued_ms", "removed_ms", "run_ms", "seen", "shift", "state", "stored", "wake_ms",
    )  # fmt: skip

    def __init__(self, command: AlertCommand, generation: int, armed_from_ms: int, pos: int) -> None:
        self.command = command
        self.generation = generation
        self.armed_from_ms = armed_from_ms
        self.pos = pos
        self.state: State = "active"
        self.removed_ms = 0
        self.node: Node | None = None
        self.message: Message | None = None
        self.counted = False
        self.armed = command.when_true_at_arming == "fire"
        self.fires = 0
        self.fired_ms = self.run_ms = self.wake_ms = self.queued_ms = NEVER
        self.seen: Truth = None
        self.length, self.shift = grid(command.timeframe)
        self.stored = True

    @property
    def key(self) -> str:
        return self.command.alert_id

    def notice(self, truth: Truth, now_ms: int) -> bool:
        """The condition's truth at an instant: at every bar, or only where it changed and at `wake_ms`. True: it fires.

        Unknown breaks a run and is no reason to arm: only false is.
        """
        if self.on_tick:
            return self._notice_tick(truth, now_ms)
        before, self.seen = self.seen, truth
        if not truth:
            self.stored &= truth is not None or before is None
            self.run_ms = self.wake_ms = NEVER
            if truth is False and not (self._rearm_bars and self.fires):
                self.armed = True
            return False
        if self.run_ms == NEVER:
            self.run_ms = now_ms
            self.stored &= self.command.debounce_bars == 1
        if not self.armed and self.fires and self._rearm_bars:
            self.armed = self._closes(self.fired_ms, now_ms) >= self._rearm_bars
        fires = self.armed and self.held_bars(now_ms) >= self.command.debounce_bars
        if fires:
            self._fire(now_ms)
        self.wake_ms = self._next_wake()
        return fires

    def notice_forming(self, truth: Truth, close_ms: int) -> bool:
        """The truth at an update of the bar that will close then. True: it fires. Only `on: tick`."""
        fires = self._tick(truth, close_ms)
        self.wake_ms = self._next_tick()
        return fires

    def spent(self, close_ms: int) -> bool:
        """Whether it has fired on the bar of its timeframe that the base bar closing then belongs to."""
        return self.fires > 0 and self._bar_of(self.fired_ms) == self._bar_of(close_ms)

    @property
    def on_tick(self) -> bool:
        return self.command.on == "tick"

    def derive(self, truth: Truth, now_ms: int) -> None:
        """After a restart: what the row left to the truth at the last bar folded in (see `stored`)."""
        self.seen = truth
        if truth is False:
            self.notice(False, now_ms)
        elif truth and self.run_ms == NEVER:
            self.run_ms = now_ms
        if self.on_tick:
            self.wake_ms = self._next_tick()
        else:
            self.wake_ms = self._next_wake() if truth else NEVER
        self.stored = True

    @property
    def rearms_ms(self) -> int | None:
        """From which close on it may fire again though its condition stays true; None: not before that was false."""
        return self._bars_after(self.fired_ms, self._rearm_bars) if self._rearm_bars and self.fires else None

    def held_bars(self, now_ms: int) -> int:
        """For how many closed bars its condition has held at `now_ms`, while it does."""
        return 1 + self._closes(self.run_ms, now_ms)

    @property
    def _rearm_bars(self) -> int:
        """After how many closed bars it may fire again though its condition never was false; 0: never."""
        if self.command.frequency == "every":
            return 1
        return self.command.rearm_bars if self.command.rearm == "after_bars" else 0

    def _notice_tick(self, truth: Truth, now_ms: int) -> bool:
        """The close, the last update of its bar."""
        self.seen = truth
        if not truth:
            self.run_ms = NEVER
        elif self.run_ms == NEVER:
            self.run_ms = now_ms
        return self.notice_forming(truth, now_ms)

    def _tick(self, truth: Truth, close_ms: int) -> bool:
        if truth is False and not self.armed:
            self.armed = True
            self.stored = False
        fires = bool(truth) and self.armed and not self.spent(close_ms)
        if fires:
            self._fire(close_ms)
        return fires

    def _next_tick(self) -> int:
        """The first close at which it may fire although its condition, true at the close before, does not change."""
        if self.state == "removed" or not self.armed or not self.seen:
            return NEVER
        # Bars end at their close: the next one has begun a millisecond later.
        return self._bars_after(self.fired_ms - 1, 1) + 1 if self.fires else self.run_ms

    def _bar_of(self, close_ms: int) -> int:
        return (close_ms - 1 - self.shift) // self.length

    def _fire(self, now_ms: int) -> None:
        self.fires += 1
        self.fired_ms = now_ms
        self.armed = self.on_tick
        self.stored = False
        if self.command.frequency == "once":
            self.state = "removed"
            self.removed_ms = now_ms

    def _closes(self, since_ms: int, now_ms: int) -> int:
        return (now_ms - self.shift) // self.length - (since_ms - self.shift) // self.length

    def _bars_after(self, since_ms: int, bars: int) -> int:
        return since_ms - (since_ms - self.shift) % self.length + bars * self.length

    def _next_wake(self) -> int:
        if self.state == "removed" or not (self.armed or (self._rearm_bars and self.fires)):
            return NEVER
        held_long_enough = self._bars_after(self.run_ms, self.command.debounce_bars - 1)
        return (
            held_long_enough
            if self.armed
            else max(held_long_enough, self._bars_after(self.fired_ms, self._rearm_bars))
        )
