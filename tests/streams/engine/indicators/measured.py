"""One line per comparison of an indicator with a reference, measured, for the document."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streams.engine.bars import BarArrays, Floats
from streams.engine.indicators.definition import Definition
from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators import references_recorded, references_ta, references_talib
from tests.streams.engine.indicators.conformance import against_ta, ours
from tests.streams.engine.indicators.reference import Reference
from tests.streams.engine.indicators.ta_library import TaClass
from tests.streams.engine.regimes import generated

RECORDED: Final = (references_recorded.STOCK_INDICATORS, references_recorded.STOCKCHARTS)
STEPS: Final = (0.0, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


@dataclass(frozen=True)
class Row:
    """A comparison in words; `largest` is rounded up, so that another machine's last bit changes nothing."""

    source: str
    series: str
    output: str
    seed: str
    from_bar: int
    compared: int
    largest: str
    remarks: tuple[str, ...]


def rows_of(definition: Definition) -> list[Row]:
    """Every comparison there is; recorded ones only where the recordings are."""
    rows = [row for case in references_ta.CLASSES if case.name == definition.name for row in _ta(case)]
    rows += [_row(one, *_talib(one)) for one in references_talib.REFERENCES if one.name == definition.name]
    if SHARED.exists():
        rows += [
            _row(one, *references_recorded.bars_and_series(one))
            for one in references_recorded.REFERENCES
            if one.name == definition.name
        ]
    return rows


def _ta(case: TaClass) -> Iterator[Row]:
    found = [against_ta(case, case.params[0], bars) for bars in generated().values()]
    for method, output in case.outputs.items():
        first = min(one[output].from_bar or 0 for one in found)
        compared = sum(one[output].compared for one in found)
        largest = rounded_up(max(one[output].worst for one in found))
        remarks = tuple(excepted.why for excepted in case.excepted if output in excepted.outputs)
        yield Row("ta", f"{case.cls}.{method}", output, "first", first, compared, largest, remarks)


def _talib(reference: Reference) -> tuple[BarArrays, Floats]:
    return references_talib.candles(), references_talib.theirs(reference.series)


def _row(reference: Reference, bars: BarArrays, theirs: Floats) -> Row:
    own = ours(reference.name, reference.params, reference.seed, bars.ohlcv, bars.open_time_ms)[
        reference.output
    ]
    found = reference.compare(own, theirs)
    series = reference.series
    if reference.source != references_talib.SOURCE and reference.params:
        series += f" ({', '.join(f'{key}={value:.15g}' for key, value in reference.params.items())})"
    remarks = (reference.why,) if reference.why else ()
    return Row(
        reference.source, series, reference.output, reference.seed, found.from_bar or 0, found.compared,
        rounded_up(found.largest), remarks,
    )  # fmt: skip


def rounded_up(difference: float) -> str:
    """The least of STEPS that is not less."""
    step = next((step for step in STEPS if difference <= step), 1.0)
    return f"{step:g}"
