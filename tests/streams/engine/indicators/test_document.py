"""docs/indicators.md says what the code does now."""

from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators.document import PATH, document
from tests.streams.engine.indicators.measured import RECORDED, rounded_up


def without_recordings(text: str) -> list[str]:
    """The lines that can be measured without the shared recordings, and without the remarks on those."""
    marks = tuple(f"| {source} |" for source in RECORDED)
    remarks = tuple(f": {source}: " for source in RECORDED)
    lines = [line for line in text.splitlines() if not line.startswith(marks)]
    return [line for line in lines if line and not any(remark in line for remark in remarks)]


def test_the_document_has_not_drifted() -> None:
    committed, now = PATH.read_text(encoding="utf-8"), document()
    if SHARED.exists():
        assert committed == now, "run python -m tests.streams.engine.indicators.document"
    assert without_recordings(committed) == without_recordings(now)


def test_differences_are_rounded_up() -> None:
    assert [rounded_up(x) for x in (0.0, 3e-16, 2e-13, 1e-9, 1.1e-9)] == [
        "0",
        "1e-15",
        "1e-12",
        "1e-09",
        "1e-08",
    ]
