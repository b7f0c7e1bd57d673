"""A real Chromium without a window, for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HOW = "pip install 'rlattn[browser]', and a Chromium: apt install chromium, or playwright install "
HOW += "chromium, or say where one is with RLATTN_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """Starts the browser; skips the test, and says how to get one, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"no browser: {HOW}")
    with sync_api.sync_playwright() as playwright:
        named = [os.environ.get("RLATTN_CHROMIUM"), *map(shutil.which, NAMES)]
        found = [path for path in (*named, playwright.chromium.executable_path) if path]
        path = next((path for path in found if Path(path).is_file()), None)
        if path is None:
            pytest.skip(f"no browser: {HOW}")
        # Its own sandbox needs rights that containers lack; the pages are ours.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
