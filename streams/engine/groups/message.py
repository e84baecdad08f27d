"""The message of an alert: its operands held in the market, what they were worth when it fired, and its text then.

The text follows from the bar it fired on and from the values that the notification carries, and from nothing else.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Final

from schemas.alerts import AlertCommand
from schemas.conditions import Operand, Price
from schemas.triggers import Bar
from streams.engine.conditions.comparisons import AnyReader, Moment, compile_operands, grid, seen
from streams.engine.conditions.reach import clock_of
from streams.engine.conditions.resolve import label
from streams.engine.conditions.template import Piece, Word
from streams.engine.market.market import Market

UNKNOWN: Final = "n/a"
"""What stands for an operand that has no value."""
_PRICES: Final = frozenset({"open", "high", "low", "close"})
"""Fields that are as the feed sent them: others are computed, a volume of several bars too."""
_DIGITS: Final = Context(prec=10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Message:
    """`pieces` of one alert. `slots`: what its operands hold until `release`. Prices of the bar itself need none."""

    __slots__ = ("_base", "_clocks", "_market", "_pieces", "_readers", "slots")

    def __init__(self, market: Market, pieces: tuple[Piece, ...]) -> None:
        """Raises NeedsHistory or ConditionError (from the market), holding nothing."""
        self._market = market
        self._base = base = market.interval
        self._pieces = pieces
        asked = {
            piece: None
            for piece in pieces
            if not isinstance(piece, str | Word) and _bar_field(piece, base) is None
        }
        readers, self.slots = compile_operands(market, asked)
        self._readers: dict[str, AnyReader] = dict(
            zip([label(one, base) for one in asked], readers, strict=True)
        )
        self._clocks = [grid(clock_of(one) or base) for one in asked]

    def release(self, now_ms: int) -> None:
        """Give the slots back."""
        slots, self.slots = self.slots, []
        for slot in slots:
            self._market.release(slot, now_ms)

    @property
    def readers(self) -> Mapping[str, tuple[AnyReader, tuple[int, int]]]:
        """By the operand's text: how it is read, and the grid of the timeframe at whose closes."""
        pairs = zip(self._readers.items(), self._clocks, strict=True)
        return {text: (reader, clock) for (text, reader), clock in pairs}

    def values(self, moment: Moment) -> dict[str, float]:
        """Known values of its operands at `moment`, by their text."""
        known = {}
        for text, (reader, (length, shift)) in self.readers.items():
            value = seen(reader, moment, length, shift)
            if value == value:
                known[text] = value
        return known

    def text(self, command: AlertCommand, bar: Bar, values: Mapping[str, float]) -> str:
        """What it says of an alert that fired on `bar`, having seen `values`."""
        return "".join(self._shown(piece, command, bar, values) for piece in self._pieces)

    def _shown(self, piece: Piece, command: AlertCommand, bar: Bar, values: Mapping[str, float]) -> str:
        if isinstance(piece, str):
            return piece
        if isinstance(piece, Word):
            return _told(piece, command, bar)
        field = _bar_field(piece, self._base)
        value = values.get(label(piece, self._base)) if field is None else getattr(bar, field)
        exact = isinstance(piece, Price) and piece.field in _PRICES
        return UNKNOWN if value is None else number(value, exact=exact)


def number(value: float, *, exact: bool) -> str:
    """All digits, or ten of them: a computed value has no more that mean something. Never with an exponent."""
    digits = Decimal(repr(value)) if exact else _DIGITS.create_decimal_from_float(value)
    text = f"{digits:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _told(word: Word, command: AlertCommand, bar: Bar) -> str:
    match word.name:
        case "symbol":
            return command.symbol
        case "interval":
            return command.timeframe
        case "alert_id":
            return command.alert_id
        case _:
            return _iso(bar.close_time_ms)


def _iso(time_ms: int) -> str:
    """ISO 8601 in UTC, with milliseconds only where there are any."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1_000 else "seconds").replace("+00:00", "Z")


def _bar_field(operand: Operand, base: str) -> str | None:
    """The field of the bar it fired on that `operand` is, None where it is something else."""
    match operand:
        case Price(field, timeframe, 0) if timeframe == base and (field in _PRICES or field == "volume"):
            return field
    return None
