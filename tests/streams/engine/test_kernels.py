"""How kernels are compiled, kept on disk and warmed up."""

from types import FunctionType
from typing import Any

import pytest

from schemas.conditions import Indicator
from streams.engine import indicators
from streams.engine.indicators.dpo import step
from streams.engine.kernels import kernel as kernels
from streams.engine.kernels.exact import slide, units
from streams.engine.market.market import Market, warm_up


def changed(function: object, **names: object) -> FunctionType:
    """The same code where some of the names it uses mean something else."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)


def test_a_kernel_stays_the_plain_function_it_is() -> None:
    assert isinstance(step, FunctionType)
    assert units(1.25, 100.0) == 125


def test_the_cache_key_changes_with_every_kernel_and_constant_that_is_used() -> None:
    known = kernels.source_digest(step)
    assert kernels.source_digest(changed(step)) == known
    assert kernels.source_digest(changed(step, CLOSE=1)) != known
    other = changed(slide, LIMIT=2.0**40)
    assert kernels.source_digest(changed(step, slide=other)) != known


def test_what_cannot_be_kept_on_disk_is_compiled_all_the_same() -> None:
    asked: list[dict[str, bool]] = []

    def compiler(**on_disk: bool) -> Any:
        asked.append(on_disk)
        if on_disk:
            raise RuntimeError("cannot cache function 'entry': no locator available")
        return lambda function: function

    assert kernels.cached(compiler, step) is step
    assert asked == [{"cache": True}, {}]


def test_another_fault_of_the_compiler_is_not_hidden() -> None:
    def compiler(**on_disk: bool) -> Any:
        raise RuntimeError("out of registers")

    with pytest.raises(RuntimeError, match="registers"):
        kernels.cached(compiler, step)


def test_after_warming_up_nothing_is_left_to_compile() -> None:
    warm_up()
    before = dict(kernels._compiled)
    market = Market("BTCUSDT")
    for name in indicators.names():
        market.acquire(Indicator(name), "1m")
    assert kernels._compiled == before
