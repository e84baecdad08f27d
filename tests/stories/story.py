"""A deal told as a story: candles in; fills, what was skipped, doubtful bars and the end out."""

from decimal import Decimal
from typing import NamedTuple

from schemas.bots import BotConfig
from schemas.triggers import Bar
from streams.engine.dca import Instrument
from tests.streams.engine.dca.support import TENTHS, bar


class Row(NamedTuple):
    """One fill of the table: `fee` in quote, `fee_base` in base (written `0.001b`)."""

    bar: int
    level: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_base: Decimal


class Story(NamedTuple):
    """`candles`: open high low close, a line each; the deal opens at the close of the first one.

    `fills`: bar's number, level, side, quantity, price, fee (if any). `ends`: why the deal closed ("" while
    it is open), `profit`: what it brought, `holds`: what is held at the end, `ambiguous`: such bars.
    `close_at`: the bot is deleted (`on_delete: close`) so that the deal closes then, in milliseconds from the start.
    """

    title: str
    bot: BotConfig
    candles: str
    fills: str
    ends: str = ""
    profit: str = ""
    holds: str = "0"
    skipped: str = ""
    ambiguous: str = ""
    instrument: Instrument = TENTHS
    close_at: int | None = None

    @property
    def bars(self) -> list[Bar]:
        """The candles, a minute each from 0 on."""
        return bars_of(self.candles)

    @property
    def rows(self) -> list[Row]:
        """The fills."""
        return rows_of(self.fills)


def bars_of(table: str) -> list[Bar]:
    """Candles from a table; what stands after a `|` is a remark."""
    lines = [line.split("|")[0] for line in table.strip().splitlines()]
    return [bar(*(float(cell) for cell in line.split()), number=n) for n, line in enumerate(lines)]


def rows_of(table: str) -> list[Row]:
    """Fills from a table; what stands after a `|` is a remark."""
    return [_row(*line.split("|")[0].split()) for line in table.strip().splitlines()]


def _row(number: str, level: str, side: str, quantity: str, price: str, fee: str = "0") -> Row:
    in_base = fee.endswith("b")
    amount = Decimal(fee.removesuffix("b"))
    fees = (Decimal(0), amount) if in_base else (amount, Decimal(0))
    return Row(int(number), level, side, Decimal(quantity), Decimal(price), *fees)
