"""A real browser for the report's page: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.deadline import DEADLINE_S

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def opened(file: Path, width: int = 1280, height: int = 1700, *, dark: bool = False) -> Iterator[Page]:
    """The page, ready, without a network. Skips where there is no browser; fails on any error of the page's script."""
    browser_path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser_path is None:
        pytest.skip("no Chromium here (Debian's package chromium)")
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox"], timeout=DEADLINE_S * 1_000
        )
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height}, offline=True,
                color_scheme="dark" if dark else "light",
            )  # fmt: skip
            page = context.new_page()
            page.set_default_timeout(DEADLINE_S * 1_000)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-ready=yes]")
            yield page
        finally:
            browser.close()
    assert not errors, errors
