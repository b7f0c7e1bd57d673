"""The page of rationales as a person sees it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from rlattn.plots import rationales_page
from rlattn.plots.markup import escaped
from tests.plots.browser import chromium, contrast, luminance, opening
from tests.plots.readings import byte_host, readings

pytestmark = pytest.mark.browser

HOST = byte_host("<b>bytes</b>")
TEXTS = [
    "</p><script>document.title='owned'</script><img src=x onerror=alert(1)>",
    "a film of great joy, so naïve, and a very long word: " + "joy" * 40,
    "مرحبا \u202e abc\0\x07\n\nشيء",
    "é “so” 今日は",
]
STEERED = readings(HOST, TEXTS, ["good", "bad", "bad", "good"])
NATIVE = readings(HOST, TEXTS, ["good", "bad", "good", "bad"])
GOLD = ["good"] * 4


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    page = rationales_page(HOST, STEERED, GOLD, native=NATIVE)
    with opening(browser, tmp_path / "page.html") as opens:
        yield lambda **settings: opens(page, **settings)


def titles(page: Any) -> list[str]:
    """The names of the texts that can be seen."""
    found: list[str] = page.locator("section:visible h2").all_text_contents()
    return found


def test_a_choice_leaves_some_of_the_texts(opened: Open) -> None:
    page = opened()
    assert titles(page) == ["Text 3", "Text 4", "Text 2", "Text 1"]
    page.get_by_label("wrong (2)").check()
    assert titles(page) == ["Text 3", "Text 2"]
    page.get_by_label("changed by the policy (2)").check()
    assert titles(page) == ["Text 3", "Text 4"]
    page.get_by_label("all (4)").check()
    assert len(titles(page)) == 4


def test_scripts_are_not_needed(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    page.get_by_label("wrong (2)").check()
    assert titles(page) == ["Text 3", "Text 2"]


def test_the_browser_shows_each_text_as_it_is(opened: Open) -> None:
    page = opened()
    without = "text => [...text.querySelectorAll('i, sup')].forEach(each => each.remove())"
    texts = dict(zip(titles(page), page.locator(".text").all(), strict=True))
    for number, text in enumerate(HOST.detokenize(STEERED.tokens), start=1):
        shown = texts[f"Text {number}"]
        shown.evaluate(without)
        assert shown.text_content() == unescape(escaped(text))
    assert page.locator("script, img, b").count() == 0
    assert page.title() == "What <b>bytes</b> read"
    assert page.locator(".text").first.evaluate("text => getComputedStyle(text).direction") == "rtl"


def test_a_phone_is_wide_enough(opened: Open) -> None:
    page = opened(viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read_on_every_shade(opened: Open, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    body = colours(page, "body")[0][1]
    assert (luminance(body) > 0.5) == (scheme == "light")
    marks = colours(page, ".legend mark")
    assert len(marks) == 4
    assert min(contrast(*mark) for mark in marks) >= 4.5
    shades = [contrast(shade, body) for _, shade in marks]
    assert shades == sorted(shades, reverse=True), "the earlier, the stronger"
    for faint in (".text", "dt", "header p", ".is-right", ".is-wrong"):
        assert contrast(colours(page, faint)[0][0], body) >= 4.5
    edges = page.locator(".legend mark").evaluate_all(
        "marks => marks.map(mark => getComputedStyle(mark).borderBottomColor)"
    )
    assert min(contrast(edge, body) for edge in edges) >= 3


def colours(page: Any, selector: str) -> list[tuple[str, str]]:
    """Ink and background of elements."""
    found = page.locator(selector).evaluate_all(
        """elements => elements.map(element => {
            const style = getComputedStyle(element);
            return [style.color, style.backgroundColor];
        })"""
    )
    return [(ink, background) for ink, background in found]
