"""What brought a change of a deal: its trigger, or a report of its venue."""

from typing import NamedTuple


class Cause(NamedTuple):
    """`trigger_id` names it (a report's id where it was one); `generation` is that of the trigger behind the order."""

    trigger_id: str
    group_id: str
    generation: int
