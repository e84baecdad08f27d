"""A condition at a moment, part by part: what was true, with which numbers, and why what is unknown is unknown.

Written over what all nodes share (`decide`, `comparisons`, children where there are any), so that a new kind of node
shows up with its text, its truth and what it is made of.
"""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.conditions import All, AnyOf, Not
from streams.engine.conditions.comparisons import AnyReader, Comparison, ConstReader, Moment
from streams.engine.conditions.expression_text import to_text
from streams.engine.conditions.resolve import label
from streams.engine.conditions.truth import ORDERED, Truth
from streams.engine.explain.unknown import why_unknown
from streams.engine.explain.words import distance, number, when
from streams.engine.market.market import Market
from streams.engine.network.predicates import AtNode, CompareNode, LevelNode, Node
from streams.engine.network.tallied import TallyNode

_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_JOINED = {All: "all of", AnyOf: "any of", Not: "not"}


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operand: its text, its value, that at the close before where it matters, and why it is unknown."""

    text: str
    value: float | None = None
    before: float | None = None
    unknown: str = ""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a condition. `truth` None: unknown. `reason`: by how much, or why; `decided_at_ms`: when its clock
    closed last, where that was not with the bar.
    """

    text: str
    truth: bool | None
    reason: str = ""
    sides: list[Side] = []
    decided_at_ms: int | None = None
    parts: list["Finding"] = []


def find(node: Node, moment: Moment, market: Market) -> Finding:
    """What `node` says at `moment`, and everything below it."""
    if isinstance(node, CompareNode):
        return _compared(node.comparison, moment, market)
    truth = node.decide(moment)
    if isinstance(node, LevelNode):
        return Finding(to_text(node.key), truth, _touch(node, moment, truth))
    if isinstance(node, AtNode):
        reason = "" if truth else f"it comes true at the first close at or after {when(node.ms)}"
        return Finding(to_text(node.key), truth, reason)
    text = _JOINED.get(type(node.key)) or to_text(node.key)
    if isinstance(node, TallyNode):
        parts = [_compared(one, moment, market) for one in node.comparisons()]
        return Finding(text, truth, parts=parts) if text in _JOINED.values() else parts[0]
    if below := [find(child, moment, market) for child in _children(node)]:
        return Finding(text, truth, parts=below)
    return _measured(text, node, truth, moment, market)


def to_blame(finding: Finding) -> Iterator[Finding]:
    """The parts that make it what it is, from left to right: where it is false those that are, and so on.

    Of a `not` the part that is the other way round; of a kind with parts of its own meaning, itself.
    """
    if finding.text == "not" and finding.parts:
        yield from to_blame(finding.parts[0])
    elif finding.text in {"all of", "any of"}:
        for part in finding.parts:
            if part.truth is finding.truth:
                yield from to_blame(part)
    else:
        yield finding


def said(findings: Iterable[Finding]) -> str:
    """Those parts in words."""
    return "; ".join(f"{one.text} ({one.reason})" if one.reason else one.text for one in findings)


def _children(node: Node) -> tuple[Node, ...]:
    return tuple(getattr(node, "children", ()))


def _touch(node: LevelNode, moment: Moment, truth: Truth) -> str:
    if truth is None:
        return "a tick stands in for the bar: only instants count on it"
    name, reached = ("low", moment.low) if node.below else ("high", moment.high)
    if truth:
        return f"touched: the {name} was {number(reached)}"
    return f"not reached: the {name} was {number(reached)}, {distance(reached - node.price)} short of it"


def _measured(text: str, node: Node, truth: Truth, moment: Moment, market: Market) -> Finding:
    """A kind of its own, by what all that ask for values tell: those that are known, and the names of the others."""
    known: dict[str, float] = {}
    unknown: dict[str, None] = {}
    for one in node.comparisons():
        known.update(one.values(moment, market.interval))
        unknown.update(dict.fromkeys(one.unknown(moment, market.interval)))
    seen = ", ".join(f"{name} {number(value)}" for name, value in known.items())
    reason = f"{', '.join(unknown)} unknown" if unknown else seen
    return Finding(text, truth, reason, [Side(name, value) for name, value in known.items()])


def _compared(comparison: Comparison, moment: Moment, market: Market) -> Finding:
    truth = comparison.decide(moment)
    node = comparison.node
    crosses = comparison.op not in ORDERED
    operands = ((node.left, comparison.left), (node.right, comparison.right))
    sides = [
        _side(label(operand, market.interval), comparison, reader, moment, market, crosses=crosses)
        for operand, reader in operands
    ]
    left, right = (side.text for side in sides)
    text = f"{comparison.op}({left}, {right})" if crosses else f"{left} {_SIGNS[comparison.op]} {right}"
    decided_ms = comparison.clock_at(moment.close_ms)
    return Finding(
        text, truth, _reason(sides, truth, crosses=crosses), sides,
        None if decided_ms == moment.close_ms else decided_ms,
    )  # fmt: skip


def _side(
    text: str, comparison: Comparison, reader: AnyReader, moment: Moment, market: Market, *, crosses: bool
) -> Side:
    if isinstance(reader, ConstReader):
        return Side(text, reader.value, reader.value if crosses else None)
    now = comparison.sees(reader, moment)
    if now != now:
        return Side(text, unknown=why_unknown(market, comparison, reader, moment))
    if not crosses:
        return Side(text, now)
    before = comparison.sees(reader, moment, 1)
    if before != before:
        return Side(text, now, unknown=f"before: {why_unknown(market, comparison, reader, moment, 1)}")
    return Side(text, now, before)


def _reason(sides: list[Side], truth: Truth, *, crosses: bool) -> str:
    if truth is None:
        return "; ".join(f"{side.text} is unknown: {side.unknown}" for side in sides if side.unknown)
    left, right = sides
    assert left.value is not None  # a known truth has known sides
    assert right.value is not None
    if crosses:
        assert left.before is not None
        assert right.before is not None
        before = f"{number(left.before)} against {number(right.before)}"
        return f"before {before}, now {number(left.value)} against {number(right.value)}"
    there = f"{number(left.value)} against {number(right.value)}"
    return there if truth else f"{there}, {distance(left.value - right.value)} away"
