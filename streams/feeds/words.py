"""Text eight bytes at a time, for compiled readers: literals, digits, strings and names as words of 64 bits.

Everything is said by its address: a word need not begin at a multiple of eight, and counting the references of
arrays that are handed on costs more than reading a kline does (measured). The first byte is the lowest. Whoever calls
puts `PAD` behind the text: no word is read past it.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from streams.engine.bars import Ints
from streams.engine.kernels.kernel import kernel

PAD: Final = b'"' * 8
"""What a string that has no end runs into."""
NAME_WORDS: Final = 4
"""A name is a row of so many words, zeros behind its letters, and its length."""
NAME: Final = 8 * (NAME_WORDS + 1)
LITERAL_WORDS: Final = 5
LITERAL: Final = 8 * (1 + 2 * LITERAL_WORDS)
"""A literal is its size, its words, and the masks of what counts of them."""
_STRING_WORDS: Final = 16


def _each(byte: int) -> int:
    return int.from_bytes(bytes([byte]) * 8, "little", signed=True)


_ONES, _HIGH_BITS, _SIX_MORE = _each(0x01), _each(0x80), _each(0x76)
_ZEROS, _QUOTES, _BACKSLASHES, _SPACES = (_each(byte) for byte in b'0"\\ ')
_POINT: Final = ord(".")
_ODD: Final = 0x1E37_79B9_7F4A_7C15


def words_of(text: bytes, width: int) -> Ints:
    """A text as `width` words, zeros behind it."""
    return np.frombuffer(text.ljust(8 * width, b"\0"), "<i8")


def literals_of(texts: list[bytes]) -> Ints:
    """A row for each text, for `spelled`."""
    sizes = [np.array([len(text)]) for text in texts]
    return np.array([
        np.concatenate([size, words_of(text, LITERAL_WORDS), words_of(b"\xff" * len(text), LITERAL_WORDS)])
        for size, text in zip(sizes, texts, strict=True)
    ])  # fmt: skip


def _loaded(kind: Any, bits: Any, *, wider: bool = False) -> Any:
    """What stands at an address; `wider`: as a number of 64 bits."""

    def at(typingctx: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            found = builder.load(builder.inttoptr(args[0], bits.as_pointer()), align=1)
            return builder.zext(found, ir.IntType(64)) if wider else found

        return kind(types.int64), generate

    return intrinsic(at)


def _put(kind: Any, bits: Any) -> Any:
    def at(typingctx: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = builder.trunc(args[1], bits) if isinstance(bits, ir.IntType) else args[1]
            builder.store(value, builder.inttoptr(args[0], bits.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, kind), generate

    return intrinsic(at)


def _first_one(typingctx: Any, word: Any) -> Any:
    """How many bits lie below the lowest one of a word; 64 where there is none."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


word_at: Any = _loaded(types.int64, ir.IntType(64))
byte_at: Any = _loaded(types.int64, ir.IntType(8), wider=True)
short_at: Any = _loaded(types.int64, ir.IntType(32), wider=True)
float_at: Any = _loaded(types.float64, ir.DoubleType())
put_float: Any = _put(types.float64, ir.DoubleType())
put_short: Any = _put(types.int64, ir.IntType(32))
put_byte: Any = _put(types.int64, ir.IntType(8))
first_one: Any = intrinsic(_first_one)


@kernel
def spelled(at: int, literal: int) -> bool:
    """Whether a literal stands at an address."""
    for k in range((word_at(literal) + 7) >> 3):
        here = literal + 8 + 8 * k
        if (word_at(at + 8 * k) ^ word_at(here)) & word_at(here + 8 * LITERAL_WORDS):
            return False
    return True


@kernel
def number_of(word: int, count: int) -> int:
    """What the first `count` bytes, each a digit's value, are together; from 1 to 8."""
    # Zeros before them make them eight; neighbours are put together, then pairs, then fours.
    word <<= 64 - 8 * count
    word = (word * 2_561) >> 8 & 0x00FF_00FF_00FF_00FF
    word = (word * 6_553_601) >> 16 & 0x0000_FFFF_0000_FFFF
    return (word * 42_949_672_960_001) >> 32


@kernel
def short_decimal(at: int) -> tuple[int, int, int]:
    """A number with a point that ends within eight bytes: its digits, how many stand behind the point, and how many
    bytes it has; 0 for any other. Most prices are such, and where one ends the next begins: one look, not two.
    """
    word = word_at(at) ^ _ZEROS
    others = ((word + _SIX_MORE) | word) & _HIGH_BITS
    point, end = first_one(others) >> 3, first_one(others & (others - 1)) >> 3
    if end == 8 or point == 0 or end - point < 2 or byte_at(at + point) != _POINT:
        return 0, 0, 0
    if point > 1 and word & 0xFF == 0:
        return 0, 0, 0
    before = (1 << 8 * point) - 1
    return number_of(word & before | word >> 8 & ~before, end - 1), end - point - 1, end


@kernel
def digits(at: int, value: int, powers: int) -> tuple[int, int]:
    """The digits that begin at an address, behind those of `value`; how many there are. `powers` of ten, up to 8."""
    found, more = 0, True
    while more:
        word = word_at(at + found) ^ _ZEROS
        # The high bit of a byte: no digit. Only of bytes behind the first such it may be wrong.
        count = first_one(((word + _SIX_MORE) | word) & _HIGH_BITS) >> 3
        more = count == 8
        if count > 0:
            value = value * word_at(powers + 8 * count) + number_of(word, count)
            found += count
    return value, found


@kernel
def quote_in(word: int) -> int:
    """Where the first quote of eight bytes has its high bit, seven bits into it; 64 where there is none."""
    other = word ^ _QUOTES
    return first_one((other - _ONES) & ~other & _HIGH_BITS)  # type: ignore[no-any-return]


@kernel
def string(at: int) -> int:
    """How many bytes a string of plain ASCII has, up to its quote; -1 for any other, and for a long one."""
    length = 0
    for _ in range(_STRING_WORDS):
        word = word_at(at + length)
        slash = word ^ _BACKSLASHES
        special = word | ((word - _SPACES) & ~word) | ((slash - _ONES) & ~slash)
        end = quote_in(word)
        if first_one(special & _HIGH_BITS) < end:
            return -1
        length += end >> 3
        if end < 64:
            return length
    return -1


@kernel
def mixed(place: int, word: int) -> int:
    """A step of a name's hash."""
    place = (place ^ word) * _ODD
    return place ^ (place >> 29)


@kernel
def length_of(names: int, number: int) -> int:
    """Of a name."""
    return word_at(names + NAME * number + 8 * NAME_WORDS)  # type: ignore[no-any-return]


@kernel
def named(at: int, names: int, number: int) -> bool:
    """Whether a name's letters stand at an address."""
    left, name = length_of(names, number), names + NAME * number
    while left > 0:
        word = word_at(at)
        if left < 8:
            word &= (1 << 8 * left) - 1
        if word != word_at(name):
            return False
        at, name, left = at + 8, name + 8, left - 8
    return True


@kernel
def known(at: int, names: int, table: int, places: int) -> int:
    """The number of the name that stands at an address, up to a quote; -1 for none of `names`."""
    length, place, count, end = 0, 0, 0, 64
    while end == 64 and count < NAME_WORDS:
        word = word_at(at + length)
        end = quote_in(word)
        if end < 64:
            word &= (1 << (end & ~7)) - 1
        place = mixed(place, word)
        length += end >> 3
        count += 1
    place &= places - 1
    number = short_at(table + 4 * place)
    while number > 0:
        if length_of(names, number - 1) == length and named(at, names, number - 1):
            return number - 1  # type: ignore[no-any-return]
        place = (place + 1) & (places - 1)
        number = short_at(table + 4 * place)
    return -1


@kernel
def enter(names: int, count: int, table: int, places: int) -> None:
    """Have `known` find `count` names. The table is empty, has a power of two places, and room."""
    for number in range(count):
        place = 0
        for k in range(min(length_of(names, number) // 8 + 1, NAME_WORDS)):
            place = mixed(place, word_at(names + NAME * number + 8 * k))
        place &= places - 1
        while short_at(table + 4 * place) > 0:
            place = (place + 1) & (places - 1)
        put_short(table + 4 * place, number + 1)
