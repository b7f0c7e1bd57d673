"""The page of attention as a person uses it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlattn.inference import Alignment
from rlattn.plots import attention_page
from tests.plots.alignments import alignment, words
from tests.plots.browser import chromium, contrast, luminance, numbers, opening

pytestmark = pytest.mark.browser

SOURCE = ["▁Mar", "ch", "▁3", "▁$5", "</s>"]
NATIVE = alignment(SOURCE, ["▁3", ".", "▁März", "</s>"], share=1.0)
POLICY = alignment(SOURCE, ["▁3", ".", "▁Mär", "z", "</s>"], seed=1)
SECOND = alignment(words(30), words(12), seed=2)
HOSTILE = "</script><img src=x onerror=document.title='owned'><b>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    with opening(browser, tmp_path / "page.html") as opens:
        yield lambda alignments, **settings: opens(attention_page(alignments), **settings)


BOTH = {"native": [NATIVE, SECOND], "policy": [POLICY, SECOND]}


def sentence(page: Any, number: int = 0) -> Any:
    return page.locator("section").nth(number)


def target(page: Any, step: int, number: int = 0) -> Any:
    return sentence(page, number).locator(".target button").nth(step)


def shown(page: Any, number: int = 0) -> list[dict[str, Any]]:
    """What can be seen of each source token of a sentence."""
    places: list[dict[str, Any]] = (
        sentence(page, number)
        .locator(".source li")
        .evaluate_all(
            """places => places.map(place => {
            const style = getComputedStyle(place);
            return {
                token: place.firstChild.textContent, said: place.lastChild.textContent,
                share: Number(style.getPropertyValue("--share")), border: style.borderTopStyle,
                hatched: style.backgroundImage !== "none",
                background: style.backgroundColor, ink: style.color,
            };
        })"""
        )
    )
    return places


def agrees(page: Any, expected: Alignment, step: int, number: int = 0) -> bool:
    """Whether the source shows what a step read, and names the step."""
    places, reads = shown(page, number), expected.opened[step].sum()
    for place, share, is_open in zip(
        places, expected.attention[step], expected.opened[step], strict=True
    ):
        assert place["hatched"] == (place["border"] == "dashed") == (not is_open)
        assert place["share"] == pytest.approx(share, abs=5e-4)
        if not is_open:
            assert place["said"] == "shut"
        elif share >= 0.006:
            assert float(place["said"].removesuffix("%")) == pytest.approx(100 * share, abs=0.6)
    said = sentence(page, number).locator("[role=status]").inner_text()
    assert f"reads {reads} of {len(places)} source tokens" in said
    assert places[int(expected.attention[step].argmax())]["token"] in said
    return True


def untouched(page: Any, number: int = 0) -> bool:
    plain = [(place["share"], place["said"], place["hatched"]) for place in shown(page, number)]
    return plain == [(0, "", False)] * len(plain)


def test_hovering_shows_what_a_token_read(opened: Open) -> None:
    page = opened({"policy": [POLICY, SECOND]})
    assert [place["token"] for place in shown(page)] == ["Mar", "·ch", "3", "$5", "</s>"]
    assert untouched(page)
    for step in range(len(POLICY.target)):
        target(page, step).hover()
        assert agrees(page, POLICY, step)
        assert target(page, step).get_attribute("aria-current") == "true"
        assert sentence(page).locator("[aria-current]").count() == 1
    assert untouched(page, 1)
    target(page, 3, 1).hover()
    assert agrees(page, SECOND, 3, 1)
    assert untouched(page), "what the pointer left is plain again"


def test_more_attention_has_a_stronger_colour(opened: Open) -> None:
    page = opened({"native": [NATIVE]})
    target(page, 0).hover()
    ranked = sorted(shown(page), key=lambda place: float(place["share"]))
    light = [sum(numbers(place["background"])) for place in ranked]
    assert light == sorted(light, reverse=True)
    assert light[0] > light[-1] + 0.05


def test_a_tap_stays(opened: Open) -> None:
    page = opened({"policy": [POLICY]}, has_touch=True)
    target(page, 2).tap()
    assert agrees(page, POLICY, 2)
    target(page, 4).hover()
    assert agrees(page, POLICY, 4)
    page.mouse.move(0, 0)
    assert agrees(page, POLICY, 2), "and comes back when the pointer is gone"


def test_the_keyboard_reaches_every_token(opened: Open) -> None:
    page = opened({"policy": [POLICY, SECOND]})
    page.keyboard.press("Tab")
    assert agrees(page, POLICY, 0)
    last = len(POLICY.target) - 1
    for key, step in (
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("End", last),
        ("ArrowRight", last),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert agrees(page, POLICY, step)
        assert target(page, step).evaluate("token => token === document.activeElement")
    page.keyboard.press("Escape")
    assert untouched(page)
    page.keyboard.press("Tab")
    assert agrees(page, SECOND, 0, 1), "one stop for each sentence"


def test_the_switch_goes_from_native_to_steered(opened: Open) -> None:
    page = opened(BOTH)
    target(page, 1).click()
    page.mouse.move(0, 0)
    assert agrees(page, POLICY, 1), "the last one given is shown first"
    page.get_by_label("native").check()
    assert agrees(page, NATIVE, 1), "the token stays chosen"
    assert sentence(page).locator(".target button").all_inner_texts() == [
        "3",
        ".",
        "März",
        "</s>",
    ]
    assert "reads 100.0% of the source" in sentence(page).inner_text()
    page.get_by_label("policy").check()
    assert f"reads {POLICY.opened.mean():.1%} of the source" in sentence(page).inner_text()


def test_a_token_that_the_other_did_not_write_is_no_longer_chosen(opened: Open) -> None:
    page = opened(BOTH)
    target(page, 4).click()
    page.mouse.move(0, 0)
    page.get_by_label("native").check()
    assert untouched(page)


def test_one_way_of_reading_has_no_switch(opened: Open) -> None:
    assert not opened({"policy": [POLICY]}).locator("fieldset").is_visible()
    assert opened(BOTH).locator("fieldset").is_visible()


def test_what_sentences_hold_stays_text(opened: Open) -> None:
    hostile = alignment([HOSTILE, "▁&amp;"], [HOSTILE, "</s>"])
    page = opened({HOSTILE: [hostile], "policy": [hostile]})
    target(page, 0).hover()
    assert agrees(page, hostile, 0)
    assert page.locator("img, b").count() == 0
    assert page.title() == "What was read"
    assert shown(page)[0]["token"] == HOSTILE
    assert page.locator("label").first.inner_text().strip() == HOSTILE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read_on_every_shade(opened: Open, scheme: str) -> None:
    everything = Alignment(["a", "b"], ["c"], np.array([[1.0, 0.0]]), np.array([[True, False]]))
    page = opened({"policy": [everything]}, color_scheme=scheme)
    body = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert (luminance(body) > 0.5) == (scheme == "light")
    target(page, 0).hover()
    strongest, shut = shown(page)
    assert contrast(strongest["ink"], strongest["background"]) >= 4.5
    assert contrast(shut["ink"], body) >= 4.5
    said = sentence(page).locator("[role=status]")
    assert contrast(said.evaluate("said => getComputedStyle(said).color"), body) >= 4.5
