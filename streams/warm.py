"""Compiled code is warm before a worker joins its group: compiling takes longer than a session."""

from streams.engine.market import warm_up

__all__ = ["warm_up"]
