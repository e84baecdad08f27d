"""docs/indicators.md says what the code does now."""

from pathlib import Path

import pytest

from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators import measured
from tests.streams.engine.indicators.document import PATH, document
from tests.streams.engine.indicators.measured import RECORDED, rounded_up


def without_recordings(text: str) -> list[str]:
    """The lines that can be measured without the shared recordings: no rows and remarks of those, no tables' heads,
    which may have lost their rows.
    """
    marks = ("| reference |", "|---", *(f"| {source} |" for source in RECORDED))
    remarks = tuple(f": {source}: " for source in RECORDED)
    lines = [line for line in text.splitlines() if line and not line.startswith(marks)]
    return [line for line in lines if not any(remark in line for remark in remarks)]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
def test_the_document_has_not_drifted() -> None:
    now = document()
    assert PATH.read_text(encoding="utf-8") == now, "run python -m tests.streams.engine.indicators.document"


def test_what_can_be_measured_without_recordings_has_not_drifted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(measured, "SHARED", tmp_path / "absent")
    assert without_recordings(PATH.read_text(encoding="utf-8")) == without_recordings(document())


def test_differences_are_rounded_up() -> None:
    assert [rounded_up(x) for x in (0.0, 3e-16, 2e-13, 1e-9, 1.1e-9)] == [
        "0",
        "1e-15",
        "1e-12",
        "1e-09",
        "1e-08",
    ]
