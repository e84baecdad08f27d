"""When Python looks for cycles, in commands that make millions of objects and none of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_collecting() -> Iterator[None]:
    """Not at all. For a loop that makes no cycles: to follow all objects there are again and again costs as much as
    reading a topic does (measured).
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def only_new() -> Iterator[None]:
    """Only among objects made meanwhile: what was imported and loaded before stays anyway."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
