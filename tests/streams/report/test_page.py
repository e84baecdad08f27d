"""The page in a real browser: it draws, it zooms, and what it says is what the figures are."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from streams.report.charts import Charts, ChartsMissing, charts
from streams.report.document import metrics_of, page
from streams.report.run import Run
from tests.deadline import DEADLINE_S
from tests.streams.report.browser import opened
from tests.streams.report.runs import made_up

pytestmark = pytest.mark.slow

MINUTES = 60_000


@pytest.fixture(scope="module")
def run() -> Run:
    return made_up(MINUTES)


@pytest.fixture(scope="module")
def library() -> Charts:
    try:
        return charts()
    except ChartsMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def file(run: Run, library: Charts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(run, library))
    return path


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.\-]", "", text))


def wait_painted(page: Any, chart: str) -> None:
    """Until the chart's canvases show many colours: a chart that drew nothing has one or two."""
    page.wait_for_function(
        """(id) => { const seen = new Set();
        for (const canvas of document.querySelectorAll('#' + id + ' canvas')) {
          if (!canvas.width) continue;
          const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          for (let at = 0; at < all.length; at += 4)
            seen.add(all[at] << 16 | all[at + 1] << 8 | all[at + 2]);
        } return seen.size > 5; }""",
        arg=chart,
    )


def test_it_draws_and_its_numbers_are_the_figures(file: Path, run: Run) -> None:
    found = metrics_of(run)
    with opened(file) as page:
        assert page.title() == run.title
        shown = {
            box.get_attribute("data-figure"): box.inner_text()
            for box in page.query_selector_all("[data-figure]")
        }
        assert number(shown["net_profit"]) == pytest.approx(found.net_profit, abs=0.005)
        assert number(shown["max_drawdown"]) == pytest.approx(found.max_drawdown.ratio * 100, abs=0.005)
        assert number(shown["fees"]) == pytest.approx(found.fees, abs=0.005)
        assert number(shown["safety_orders"]) == found.safety_orders
        assert shown["deals"] == f"{found.deals:,} ({found.closed_deals:,})"
        wait_painted(page, "equity")
        wait_painted(page, "candles")
        assert page.locator("#deals tbody tr").count() == min(50, run.deals.height)
        assert page.inner_text("#notes") == "12 configurations were tried"


def test_zooming_brings_finer_candles_and_back(file: Path) -> None:
    with opened(file) as page:
        whole = page.get_attribute("#candles", "data-length")
        box = page.locator("#candles").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        deadline = time.monotonic() + DEADLINE_S
        while page.get_attribute("#candles", "data-length") != "60":
            assert time.monotonic() < deadline
            page.mouse.wheel(0, -400)
            page.wait_for_timeout(20)  # a wheel turns in steps: the chart answers each
        wait_painted(page, "candles")
        page.click("#all")
        page.wait_for_selector(f"#candles[data-length='{whole}']")


def test_a_deal_that_is_picked_is_shown_with_its_fills_and_levels(file: Path) -> None:
    with opened(file) as page:
        page.fill("#filter", "bbb")
        page.locator("#deals tbody tr").nth(2).click()
        page.wait_for_selector("#candles[data-fills='3']")
        assert page.input_value("#symbol") == "BBBUSDT"
        assert page.get_attribute("#candles", "data-length") == "60"
        wait_painted(page, "candles")


def test_a_phone_in_the_dark_has_nothing_to_scroll_sideways(file: Path) -> None:
    with opened(file, 390, 844, dark=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.click("#theme")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_without_the_library_tables_stand_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page(run, None))
    with opened(path) as shown:
        assert not shown.is_visible("#candles")
        assert shown.locator("#months tbody tr").count() > 0
        shown.locator("#deals tbody tr").first.click()
        assert "no chart library" in shown.inner_text("footer")
