"""A problem of a bot's configuration, as it is told."""

from typing import NamedTuple


class Problem(NamedTuple):
    """`field` is the path of the setting, `reason` what is wrong with it."""

    field: str
    reason: str
