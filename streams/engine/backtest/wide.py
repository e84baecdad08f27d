"""Whole numbers beyond 64 bits, compiled: what an int64 keeps of a number (its rest by 2^64), and its float.

Sums and products of int64 keep their rest by themselves. The float says roughly how large the number is: enough to
guess a quotient, whose remainder is small again, so that the rest tells it exactly and puts the guess right. So money
in ticks and lots of 1e-8 needs no wider integers, and no slower ones. `plan` bounds what may be divided.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel

FITS: Final = float(1 << 62)
"""A number whose float is below this is what an int64 keeps of it."""
_ALL: Final = 1 << 64
_HIGH: Final = 2.0**32


@kernel
def down(a: int, b: int, about: float) -> int:
    """The quotient a / b, rounded down. `a`: what an int64 keeps of the number `about`; b > 0 is whole.

    Guessed as a float, then put right: exact, and half the time of a division of integers.
    """
    quotient = np.int64(about / np.float64(b))
    rest = a - quotient * b
    while rest < 0:
        quotient -= 1
        rest += b
    while rest >= b:
        quotient += 1
        rest -= b
    return int(quotient)


@kernel
def up(a: int, b: int, about: float) -> int:
    """The quotient, rounded up."""
    return down(a + b - 1, b, about + b)


@kernel
def high(about: float) -> int:
    """How often 2^32 goes into a number, roughly: with what an int64 keeps of it, this tells the number."""
    return int(about / 4294967296.0)


@kernel
def about(whole: int, r: Floats | None, slot: int) -> float:
    """The float of a sum: its own where the sum may not fit (`r`, in `slot`), else that of the integer."""
    if r is None:
        return float(whole)
    return float(r[slot])


@kernel
def note(r: Floats | None, slot: int, value: float) -> None:
    """Keep the float of a sum, where it is kept at all. A branch on None costs nothing: it is decided by compiling."""
    if r is not None:
        r[slot] = value


@kernel
def copy(to: Floats | None, r: Floats | None) -> None:
    if r is not None and to is not None:
        to[:] = r


def kept(number: int) -> int:
    """What an int64 keeps of a number."""
    return (number + (_ALL >> 1)) % _ALL - (_ALL >> 1)


def turns(rest: Ints, highs: Ints) -> Ints:
    """How often 2^64 must be added to what an int64 keeps."""
    found: Ints = np.rint((highs * _HIGH - rest) / float(_ALL)).astype(np.int64)
    return found


def whole(rest: int, highs: int) -> int:
    """The number."""
    return rest + _ALL * int(turns(np.array([rest]), np.array([highs]))[0])


def total(rest: Ints, times: Ints) -> int:
    """The sum of numbers, exactly; `times`: their `turns`."""
    return sum(map(int, rest)) + _ALL * sum(map(int, times))


def floats(rest: Ints, times: Ints) -> Floats:
    """Numbers as floats."""
    found: Floats = rest + times * float(_ALL) if times.any() else rest.astype(np.float64)
    return found


def products(one: Ints, other: Ints) -> Floats:
    """Products as floats: rounded once where they fit 64 bits."""
    about = one.astype(np.float64) * other
    return about if len(about) and about.max() >= FITS else (one * other).astype(np.float64)


__all__: Sequence[str] = [
    "FITS",
    "about",
    "copy",
    "down",
    "floats",
    "high",
    "kept",
    "note",
    "products",
    "total",
    "turns",
    "up",
    "whole",
]
