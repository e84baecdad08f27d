"""Groups: unarmed → armed(generation) → held after a trigger → armed(next generation), or removed (law 7)."""

from typing import Literal

from schemas.alerts import GroupCommand, Member
from schemas.conditions import Condition
from streams.engine.conditions.truth import Truth
from streams.engine.network.predicates import Node

State = Literal["armed", "held", "removed"]


class Watch:
    """One member of an armed group. `known` is its last known truth since arming, None before there was one."""

    __slots__ = ("fires_at_once", "group", "known", "member", "node")

    def __init__(self, group: "Group", member: Member, node: Node) -> None:
        self.group = group
        self.member = member
        self.node = node
        self.known: Truth = None
        self.fires_at_once = member.when_true_at_arming == "fire"

    @property
    def condition(self) -> Condition:
        """The resolved condition."""
        return self.node.key

    def notice(self, truth: Truth, now_ms: int) -> bool:
        """Its truth at a bar that the group sees. True: it fires, on the edge from false, or at once if it may."""
        if truth is None:
            if self.known is not None:
                self.group.stored = False
            return False
        before, self.known = self.known, truth
        return truth and (before is False or (before is None and self.fires_at_once))


class Group:
    """`watches` is empty unless armed. `stored`: whether its row tells all that a restart could not derive."""

    __slots__ = ("command", "pos", "removed_ms", "state", "stored", "watches")

    def __init__(self, command: GroupCommand, pos: int, state: State = "armed") -> None:
        self.command = command
        self.pos = pos
        self.state: State = state
        self.removed_ms = 0
        self.watches: list[Watch] = []
        self.stored = True

    @property
    def key(self) -> str:
        return self.command.group_id

    @property
    def generation(self) -> int:
        return self.command.generation

    @property
    def armed_from_ms(self) -> int:
        return self.command.armed_from_ms
