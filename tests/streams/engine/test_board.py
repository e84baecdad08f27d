"""The board against plain recursion: thousands of rungs that come and go while the value moves."""

import math
from random import Random

import pytest

from streams.engine.conditions.truth import ORDERED, Truth, crossed, standing
from streams.engine.network import truths
from streams.engine.network.board import Board, Source
from streams.engine.network.machine import SMALL, TOLD

NAN = math.nan
OPS = ("lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below")


def truth_of(op: str, constant: float, before: float, now: float) -> Truth:
    if now != now:
        return None
    if op in ORDERED:
        return ORDERED[op][standing(now, constant)]
    if before != before:
        return None
    return crossed(op, standing(before, constant), standing(now, constant))


def told(board: Board) -> int:
    board.clock()
    return board.series(0, Source(TOLD))


def step(board: Board, s: int, value: float) -> None:
    board.end_pulses(0)
    board.tell(s, value)
    assert board.settle() == []


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_rungs_stand_as_the_definition_says(seed: int) -> None:
    dice, board = Random(seed), Board()
    s = told(board)
    rungs: dict[int, tuple[str, float]] = {}
    before = now = NAN
    for turn in range(260):
        for _ in range(dice.choice([0, 1, 30]) if turn > 3 else SMALL):
            op, constant = dice.choice(OPS), dice.randrange(2_000) / 10
            n = board.node(truths.LEAF)
            board.hang(s, op, constant, n)
            rungs[n] = op, constant
        for n in dice.sample(sorted(rungs), min(len(rungs), dice.choice([0, 2, 40]))):
            board.unhang(s, *rungs.pop(n), n)
            board.free(n)
        before, now = now, NAN if dice.random() < 0.05 else dice.randrange(2_000) / 10
        step(board, s, now)
        if turn % 5 == 0 or turn < 8:
            for n, (op, constant) in rungs.items():
                assert board.truth(n) is truth_of(op, constant, before, now), (
                    turn,
                    op,
                    constant,
                    before,
                    now,
                )
    for n in list(rungs):
        board.unhang(s, *rungs.pop(n), n)
        board.free(n)
    assert board.empty(s)


def every(found: list[Truth]) -> Truth:
    return False if False in found else None if None in found else True


@pytest.mark.parametrize("seed", range(4))
def test_tallies_are_what_their_rungs_say_and_are_told_of_when_that_changes(seed: int) -> None:
    dice, board = Random(seed), Board()
    board.clock()
    series = [board.series(0, Source(TOLD)) for _ in range(3)]
    asked: dict[int, list[tuple[int, str, float]]] = {}
    values = [NAN] * len(series)

    def truth(n: int) -> Truth:
        return every([truth_of(op, constant, NAN, values[s]) for s, op, constant in asked[n]])

    for turn in range(50):
        for _ in range(dice.choice([0, 1, 20]) if turn else SMALL + 10):
            n = board.tally()
            rungs = [(dice.randrange(3), dice.choice(OPS[:4]), float(dice.randrange(60)))] * dice.choice(
                [1, 1, 2]
            )
            rungs += [(dice.randrange(3), dice.choice(OPS[:4]), float(dice.randrange(60))) for _ in range(3)]
            asked[n] = rungs
            for s, op, constant in rungs:
                board.hang(series[s], op, constant, n, tally=True)
        for n in dice.sample(sorted(asked), min(len(asked), dice.choice([0, 2, 30]))):
            for s, op, constant in asked.pop(n):
                board.unhang(series[s], op, constant, n, tally=True)
            board.free_tally(n)
        before = {n: truth(n) for n in asked}
        assert all(board.tallied(n) is one for n, one in before.items())
        for s in dice.sample(range(3), dice.randrange(4)):
            values[s] = NAN if dice.random() < 0.1 else float(dice.randrange(60))
            board.tell(series[s], values[s])
            if dice.random() < 0.2:
                values[s] = float(dice.randrange(60))
                board.stand(series[s], NAN, values[s])
        assert sorted(board.told()) == sorted(n for n, one in before.items() if truth(n) is not one)
    for n, rungs in asked.items():
        for s, op, constant in rungs:
            board.unhang(series[s], op, constant, n, tally=True)
        board.free_tally(n)
    assert all(board.empty(s) for s in series)


def test_a_value_between_its_neighbours_touches_nothing_and_one_that_passes_a_rung_tells_who_watches() -> (
    None
):
    board = Board()
    s = told(board)
    nodes = [board.node(truths.LEAF) for _ in range(3)]
    for n, constant in zip(nodes, (10.0, 20.0, 30.0), strict=True):
        board.hang(s, "gt", constant, n)
        board.watch(n, watched=True)
    step(board, s, 15.0)
    assert sorted(board.flips()) == nodes
    step(board, s, 19.9)
    assert board.flips() == []
    step(board, s, 20.0)
    assert board.flips() == []
    step(board, s, 25.0)
    assert board.flips() == [nodes[1]]


def test_nodes_above_are_decided_once_after_all_below() -> None:
    board = Board()
    s = told(board)
    a, b = board.node(truths.LEAF), board.node(truths.LEAF)
    board.hang(s, "gt", 10.0, a)
    board.hang(s, "lt", 10.0, b)
    nor, both = board.node(truths.NOT, 1), board.node(truths.ALL, 2)
    board.link(a, nor)
    board.join(nor)
    for child in (nor, b):
        board.link(child, both)
    board.join(both)
    board.watch(both, watched=True)
    assert board.truth(both) is None
    for value, wanted in ((5.0, True), (15.0, False), (5.0, True), (10.0, False), (NAN, None)):
        step(board, s, value)
        assert board.truth(both) is wanted
        assert board.flips() == [both]


def test_a_node_that_is_called_is_named_after_what_it_depends_on_and_before_what_depends_on_it() -> None:
    board = Board()
    s = told(board)
    leaf, called, above = board.node(truths.LEAF), board.node(truths.CALLED, 1), board.node(truths.NOT, 2)
    board.hang(s, "gt", 10.0, leaf)
    board.link(leaf, called)
    board.link(called, above)
    board.join(above)
    board.tell(s, 12.0)
    assert board.settle() == [called]
    assert board.truth(leaf) is True
    board.put(called, True)
    assert board.settle() == []
    assert board.truth(above) is False


def test_a_rung_that_is_not_there_is_an_error() -> None:
    board = Board()
    s = told(board)
    n = board.node(truths.LEAF)
    board.hang(s, "gt", 10.0, n)
    with pytest.raises(LookupError):
        board.unhang(s, "gt", 11.0, n)


@pytest.mark.parametrize("op", ["crosses", "crosses_above", "crosses_below"])
def test_a_cross_that_comes_to_a_calm_series_is_known_at_once(op: str) -> None:
    board = Board()
    s = told(board)
    board.hang(s, "gt", 100.0, board.node(truths.LEAF))
    for value in (5.0, 6.0, 7.0):
        step(board, s, value)
    n, other = board.node(truths.LEAF), board.node(truths.LEAF)
    board.hang(s, op, 50.0, n)
    board.hang(s, op, 6.5, other)
    assert board.truth(n) is False
    assert board.truth(other) is (op != "crosses_below")
    step(board, s, 60.0)
    assert board.truth(n) is (op != "crosses_below")
    assert board.truth(other) is False


def test_flips_that_are_pending_survive_new_series() -> None:
    board = Board()
    s = told(board)
    n = board.node(truths.LEAF)
    board.hang(s, "gt", 10.0, n)
    board.watch(n, watched=True)
    step(board, s, 12.0)
    for _ in range(9):
        board.series(0, Source(TOLD))
    assert board.flips() == [n]
    step(board, s, 8.0)
    assert board.flips() == [n]


def test_rows_are_used_again() -> None:
    board = Board()
    s = told(board)
    for _ in range(10_000):
        n = board.node(truths.LEAF)
        board.hang(s, "crosses", 10.0, n)
        board.unhang(s, "crosses", 10.0, n)
        board.free(n)
    assert board.nbytes < 20_000
