"""Klines and ticks as our own encoder spells them, read by compiled code: what the codec would read, or nothing.

What is read here is spelled so to the byte: fields in declared order, defaults left out, no space, plain decimals. A
number is taken where one division makes it: below 2^53 without its point and of at most 18 digits, so that the
quotient is the float nearest to the decimal, as every correct reader of JSON has it (Clinger 1990). Only symbols that
the codec has let through are known. Everything else is left to the codec: other spellings, exponents, escapes, and
whatever is wrong.
"""

from typing import Final

import numpy as np

from schemas.interval import grid
from streams.engine.bars import ROW_WIDTH, TIME, Ints
from streams.engine.kernels.kernel import kernel
from streams.feeds.words import (
    LITERAL,
    PAD,
    byte_at,
    digits,
    float_at,
    known,
    length_of,
    literals_of,
    named,
    put_byte,
    put_float,
    put_short,
    short_decimal,
    spelled,
    string,
    word_at,
)

BAR, IGNORED, UNREAD = range(3)
"""What a record is: a closed bar; a forming one or a tick; something for the codec."""
_LAST_MS: Final = 253_402_300_799_999
_DIGITS: Final = 18
_EXACT: Final = 1 << 53
_PAD: Final = len(PAD)
_ZERO, _POINT, _BRACE, _NEWLINE, _COMMA = b"0.}\n,"
_LITERALS: Final = 13
(
    _KLINE, _OPENS, _OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _FORMING, _FEED, _TICK, _TICK_FEED, _TIME_MS, _TICK_INTERVAL,
) = (LITERAL * n for n in range(_LITERALS))  # fmt: skip
_LENGTH: Final = LITERAL * _LITERALS
_SHIFT: Final = _LENGTH + 8
_POWERS: Final = _LENGTH + 16
_TENS: Final = _POWERS + 8 * 9


def spelling_of(interval: str) -> Ints:
    """What `read` must know of bars of one interval: the text between the values, the grid of their times, and powers
    of ten as whole numbers and as floats.
    """
    name = interval.encode()
    literals = literals_of([
        b'{"type":"kline","symbol":"', b'","interval":"%b","open_time_ms":' % name, b',"open":', b',"high":',
        b',"low":', b',"close":', b',"volume":', b',"closed":false', b',"feed":"', b'{"type":"tick","symbol":"',
        b'","feed":"', b'","time_ms":', b"" if interval == "1m" else b',"interval":"%b"' % name,
    ])  # fmt: skip
    tens = np.array([10.0**n for n in range(_DIGITS + 1)])
    return np.concatenate([literals.ravel(), grid(interval), [10**n for n in range(9)], tens.view(np.int64)])


@kernel
def size_of(literal: int) -> int:
    """How many bytes a literal has."""
    return word_at(literal)  # type: ignore[no-any-return]


@kernel
def time_at(p: int, how: int) -> tuple[int, int]:
    """A time on the grid that begins at `p`, and where it ends; or -1 for what is none."""
    value, count = digits(p, 0, how + _POWERS)
    if count == 0 or count > 15 or (byte_at(p) == _ZERO and count > 1) or value > _LAST_MS:
        return -1, p
    if (value - word_at(how + _SHIFT)) % word_at(how + _LENGTH):
        return -1, p
    return value, p + count


@kernel
def decimal_at(p: int, how: int) -> tuple[float, int]:
    """A number without sign and exponent, and where it ends; or -1.0 for what is none, or is not exact."""
    mantissa, scale, size = short_decimal(p)
    if size:
        return mantissa / float_at(how + _TENS + 8 * scale), p + size
    mantissa, count = digits(p, 0, how + _POWERS)
    if count == 0 or (byte_at(p) == _ZERO and count > 1):
        return -1.0, p
    p, scale = p + count, 0
    if byte_at(p) == _POINT:
        mantissa, scale = digits(p + 1, mantissa, how + _POWERS)
        if scale == 0:
            return -1.0, p
        p += 1 + scale
    if count + scale > _DIGITS or mantissa >= _EXACT:
        return -1.0, p
    return mantissa / float_at(how + _TENS + 8 * scale), p


@kernel
def bar(p: int, how: int, row: int) -> tuple[int, int]:
    """A kline from behind its symbol on: what it is, and where it ends. `row` gets its numbers."""
    if not spelled(p, how + _OPENS):
        return UNREAD, p
    time_ms, p = time_at(p + size_of(how + _OPENS), how)
    if time_ms < 0:
        return UNREAD, p
    put_float(row + 8 * TIME, float(time_ms))
    for k in range(5):
        literal = how + _OPEN + LITERAL * k
        if not spelled(p, literal):
            return UNREAD, p
        value, p = decimal_at(p + size_of(literal), how)
        put_float(row + 8 * k, value)
    o, h, low, c = float_at(row), float_at(row + 8), float_at(row + 16), float_at(row + 24)
    if not (0.0 < low <= o <= h and low <= c <= h and float_at(row + 32) >= 0.0):
        return UNREAD, p
    kind = BAR
    if byte_at(p) == _COMMA and spelled(p, how + _FORMING):
        kind, p = IGNORED, p + size_of(how + _FORMING)
    if byte_at(p) == _COMMA and spelled(p, how + _FEED):
        length = string(p + size_of(how + _FEED))
        if length < 0:
            return UNREAD, p
        p += size_of(how + _FEED) + length + 1
    return (kind if byte_at(p) == _BRACE else UNREAD), p + 1


@kernel
def tick(p: int, how: int) -> tuple[int, int]:
    """A tick from behind its symbol on: what it is, and where it ends."""
    if not spelled(p, how + _TICK_FEED):
        return UNREAD, p
    length = string(p + size_of(how + _TICK_FEED))
    if length < 0:
        return UNREAD, p
    p += size_of(how + _TICK_FEED) + length
    if not spelled(p, how + _TIME_MS):
        return UNREAD, p
    time_ms, p = time_at(p + size_of(how + _TIME_MS), how)
    if time_ms < 0 or not spelled(p, how + _TICK_INTERVAL):
        return UNREAD, p
    p += size_of(how + _TICK_INTERVAL)
    return (IGNORED if byte_at(p) == _BRACE else UNREAD), p + 1


@kernel
def record(p: int, q: int, how: int, names: int, table: int, places: int, row: int) -> tuple[int, int, int]:
    """The record at `p` with the key at `q`: what it is, its symbol, and where it ends."""
    kline = spelled(p, how + _KLINE)
    if not kline and not spelled(p, how + _TICK):
        return UNREAD, 0, p
    p += size_of(how + (_KLINE if kline else _TICK))
    number = known(p, names, table, places)
    if number < 0:
        return UNREAD, 0, p
    length = length_of(names, number)
    if not named(q, names, number) or byte_at(q + length) != _NEWLINE:
        return UNREAD, 0, p
    kind, p = bar(p + length, how, row) if kline else tick(p + length, how)
    return (kind if byte_at(p) == _NEWLINE else UNREAD), number, p


@kernel
def read(
    text: int, text_end: int, keys: int, keys_end: int, starts: int, key_starts: int, count: int, limit: int, how: int,
    names: int, table: int, places: int, rows: int, ids: int, kinds: int,
) -> bool:  # fmt: skip
    """Records and keys, each followed by a line's end: what each is (int8), its symbol (int32), its numbers.

    Without `starts` they are taken to be lines; False where they are not, or where one is left unread. With them (one
    more than records) every record ends where the next one starts.
    """
    lines, p, q = starts == 0, text, keys
    for i in range(count):
        if not lines:
            p, q = text + word_at(starts + 8 * i), keys + word_at(key_starts + 8 * i)
        kind, number, end = record(p, q, how, names, table, places, rows + 8 * ROW_WIDTH * i)
        after, key_after = end + 1, q + length_of(names, number) + 1
        if end - p > limit or (
            not lines
            and (
                after - text != word_at(starts + 8 * i + 8)
                or key_after - keys != word_at(key_starts + 8 * i + 8)
            )
        ):
            kind = UNREAD
        if lines and kind == UNREAD:
            return False
        put_byte(kinds + i, kind)
        put_short(ids + 4 * i, number)
        p, q = after, key_after
    return not lines or (p == text_end and q == keys_end)
