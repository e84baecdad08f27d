"""What the engine refuses, and what happens next.

ConditionError          the alert is refused with the path of the field
├── UnknownIndicator
├── BadParameter
└── StateTooLarge       the symbol holds all the state that one table row may carry
NeedsHistory            read the symbol's bars back from the topic, `load_history`, try again
HistoryGone             the bars asked for are not there any more: start at the earliest there is, and say so
OtherState              a saved state is of another build's layout: compute it from the bars again
WrongInterval           a feed sends another interval than the symbol's: dead-letter
"""

from schemas.conditions import ConditionError


class UnknownIndicator(ConditionError):
    """No indicator, or no output of it, has this name."""


class BadParameter(ConditionError):
    """A parameter, a window or a timeframe that cannot be computed."""


class StateTooLarge(ConditionError):
    """One more node would make the symbol's row larger than a table value may be."""


class NeedsHistory(Exception):
    """A new node must be computed from the origin, and bars from there on are not in memory."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol}: a new operand needs the bars since the symbol's origin")
        self.symbol = symbol


class HistoryGone(Exception):
    """Bars at `open_time_ms` are neither in memory nor in what was read back."""

    def __init__(self, symbol: str, open_time_ms: int) -> None:
        super().__init__(f"{symbol}: no bars from {open_time_ms} on")
        self.symbol = symbol
        self.open_time_ms = open_time_ms


class OtherState(Exception):
    """A node's saved state has another shape than the node: it was written by another version."""


class WrongInterval(ValueError):
    """A kline whose interval is not the symbol's base interval."""
