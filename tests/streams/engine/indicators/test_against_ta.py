"""Every output of every class of the `ta` library, with its seed, on markets of every temper."""

import pytest

from schemas.conditions import ANCHOR
from streams.engine import indicators
from streams.engine.bars import Floats
from tests.streams.engine.candles import SHARED, recorded
from tests.streams.engine.indicators import ta_library
from tests.streams.engine.indicators.conformance import against_ta
from tests.streams.engine.indicators.references_ta import CLASSES
from tests.streams.engine.indicators.ta_library import TaClass
from tests.streams.engine.regimes import generated

MARKETS = generated()
HERE = [case for case in CLASSES if case.name in indicators.names()]
each = pytest.mark.parametrize("case", HERE, ids=lambda case: case.name)


def test_all_of_tas_outputs_are_in_the_table() -> None:
    found = {name: ta_library.outputs_of(cls) for name, cls in ta_library.classes_of_ta().items()}
    assert (len(found), sum(map(len, found.values()))) == (43, 84)
    assert {case.cls: sorted(case.outputs) for case in CLASSES} == found


def test_every_one_of_them_is_an_output_of_ours() -> None:
    absent = [case.name for case in CLASSES if case.name not in indicators.names()]
    assert not absent
    for case in CLASSES:
        assert set(case.outputs.values()) <= set(indicators.lookup(case.name).outputs), case.name


@pytest.mark.parametrize("case", [case for case in CLASSES if case.memory], ids=lambda case: case.name)
def test_a_value_is_made_of_the_bars_that_the_table_says(case: TaClass) -> None:
    bars, at = MARKETS["wild"], 333
    for params in case.params:
        assert case.memory is not None
        memory = case.memory(ta_library.in_force(case, params))
        if memory:
            whole = ta_library.run(case, bars, params)
            alone = ta_library.run(case, bars[at - memory + 1 : at + 1], params)
            for output in whole:
                assert alone[output][-1] == pytest.approx(whole[output][at], rel=1e-9), output


@each
def test_tas_parameters_and_defaults_are_ours(case: TaClass) -> None:
    theirs = ta_library.in_force(case, case.params[0])
    for param in indicators.lookup(case.name).params:
        if param.name == ANCHOR:
            continue  # ours alone
        assert param.name in theirs
        # `ta` has no default for the SMA's window, another one in the EMA's class than in its function, and None
        # for a smoothing that is not there.
        assert param.default == (theirs[param.name] or 0) or case.params[0], param.name


def same_as_ta(case: TaClass, ohlcv: Floats) -> list[str]:
    """What is not as it should be, in words."""
    return [
        f"{case.name}{dict(params)}.{output}: {found}"
        for params in case.params
        for output, found in against_ta(case, params, ohlcv).items()
        if not found.everywhere
    ]


@pytest.mark.parametrize("market", MARKETS)
@each
def test_generated_candles(case: TaClass, market: str) -> None:
    assert same_as_ta(case, MARKETS[market]) == []


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ADAUSDT", "XRPUSDT"])
@each
def test_recorded_candles(case: TaClass, symbol: str) -> None:
    assert same_as_ta(case, recorded(symbol, 1_000).ohlcv) == []
