"""A real Chromium without a window, for tests of pages."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
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


@contextmanager
def opening(browser: Any, file: Path) -> Iterator[Callable[..., Any]]:
    """Opens pages from a file; at the end, nothing must have gone wrong or been loaded."""
    wrong: list[str] = []
    contexts = []

    def opens(text: str, **settings: Any) -> Any:
        file.write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda asked: asked.url == file.as_uri() or wrong.append(asked.url))
        page.goto(file.as_uri())
        return page

    yield opens
    for context in contexts:
        context.close()
    assert wrong == []


def numbers(colour: str) -> list[float]:
    """Red, green and blue of what a browser calls a colour, 0 to 1."""
    found = [float(number) for number in re.findall(r"[\d.]+", colour)[:3]]
    return found if colour.startswith("color(srgb") else [number / 255 for number in found]


def luminance(colour: str) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines 2.2 define it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in numbers(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21, as the same guidelines define it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
