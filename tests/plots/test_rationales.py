"""What the page of rationales is made of; how it looks is tested in a browser."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from rlattn.errors import InputError
from rlattn.hosts.classifier import SequenceClassifierHost
from rlattn.plots import rationales_page
from rlattn.plots.markup import escaped
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.plots.readings import Shown, byte_host, readings

HOSTILE = "</p></section><script>alert(1)</script><img src=x onerror='a'>\"&lt;{{texts}}<!--"
TEXTS = [
    HOSTILE,
    "שלום עולם, film 7",
    "مرحبا \u202e abc",
    "a\0b\x07c\x85d\r\ne",
    "so “naïve” 👩🏽\u200d🚀 今日は",
    "",
    "  two  spaces\n\nand\ttabs ",
    "\ufffdabc",
]
BYTES = byte_host()
# Labels under the policy and natively, of texts that are good.
WRONG_BOTH, BROKEN = ("bad", "bad"), ("bad", "good")
MENDED, RIGHT_BOTH = ("good", "bad"), ("good", "good")


def page_of(outcomes: list[tuple[str, str]], limit: int = 50) -> Shown:
    """A page of texts that are good, labelled by the policy and natively as given."""
    host, texts = small_classifier(), ["ba be bi"] * len(outcomes)
    steered, native = (readings(host, texts, labels) for labels in zip(*outcomes, strict=True))
    gold = ["good"] * len(texts)
    return Shown(rationales_page(host, steered, gold, native=native, limit=limit))


def test_each_text_shows_as_it_is_with_what_was_read() -> None:
    given = readings(BYTES, TEXTS, ["good"] * len(TEXTS))
    page = Shown(rationales_page(BYTES, given, ["good"] * len(TEXTS)))
    texts = BYTES.detokenize(given.tokens)
    assert page.texts[1:] == [unescape(escaped(text)) for text in texts]
    assert all(number == step for number, step in page.numbers)
    for opened, marks, tokens in zip(given.opened, page.marks[1:], page.tokens[1:], strict=True):
        assert {step for _, step in marks + tokens} - {0} <= set(opened)


def test_a_card_says_what_came_of_its_text() -> None:
    host = small_classifier()
    given = replace(
        readings(host, ["ba be bi bo"], ["bad"]),
        opened=[[0, 2, 0, 0]],
        reads_fraction=[0.25],
    )
    native = readings(host, ["ba be bi bo"], ["good"])
    chances = given.probabilities[0]
    (card,) = Shown(rationales_page(host, given, ["good"], native=native)).cards
    for said in (
        "Text 1",
        "✗ wrong, natively right",
        "gold good",
        f"predicted bad {chances[0]:.1%}",
        f"native good {chances[2]:.1%}",
        "read 1 of 4 tokens, 25.0%",
    ):
        assert said in card
    (alone,) = Shown(rationales_page(host, given, ["bad"])).cards
    assert "✓ right" in alone
    assert "nativ" not in alone


@pytest.mark.parametrize(
    ("outcome", "verdict", "kinds"),
    [
        (WRONG_BOTH, "✗ wrong, natively too", "wrong"),
        (BROKEN, "✗ wrong, natively right", "wrong changed"),
        (MENDED, "✓ right, natively wrong", "changed"),
        (RIGHT_BOTH, "✓ right, natively too", ""),
        (("bad", "fair"), "✗ wrong, natively too", "wrong changed"),
    ],
)
def test_verdicts(outcome: tuple[str, str], verdict: str, kinds: str) -> None:
    page = page_of([outcome])
    assert verdict in page.cards[0]
    assert page.attributes[page.names.index("section")]["class"] == kinds


def test_outcomes_take_turns() -> None:
    outcomes = [RIGHT_BOTH, RIGHT_BOTH, WRONG_BOTH, RIGHT_BOTH, BROKEN, WRONG_BOTH, MENDED]
    numbers = [int(card.split()[1]) for card in page_of(outcomes).cards]
    assert numbers == [5, 7, 3, 1, 6, 2, 4]
    assert [int(card.split()[1]) for card in page_of(outcomes, limit=4).cards] == [5, 7, 3, 1]


def test_the_summary_is_of_all_texts() -> None:
    host = small_classifier()
    given = replace(
        readings(host, ["ba"] * 4, ["good", "good", "good", "bad"]),
        reads_fraction=[1.0, 0.0, 0.0, 0.0],
        truncated=1,
    )
    native = readings(host, ["ba"] * 4, ["good", "good", "bad", "bad"])
    page = rationales_page(host, given, ["good"] * 4, native=native, limit=2)
    assert "4 texts: 75.0% right, natively 50.0%; 25.0% of a text was read on average." in page
    assert "1 text had more tokens than allowed; the rest was cut off." in page
    assert "Shown are 2 of them" in page
    assert "Shown are" not in rationales_page(host, given, ["good"] * 4, native=native)


def test_choices_have_counts_and_those_of_nothing_cannot_be_made() -> None:
    host = small_classifier()
    given = readings(host, ["ba", "be"], ["good", "good"])
    page = rationales_page(host, given, ["good", "good"], native=given)
    assert "all (2)" in page
    assert "wrong (0)" in page
    assert "changed by the policy (0)" in page
    inputs = {each["id"]: each for each in Shown(page).attributes if each.get("type") == "radio"}
    assert "disabled" in inputs["wrong"]
    assert "disabled" in inputs["changed"]
    assert "checked" in inputs["all"]
    assert "changed by" not in rationales_page(host, given, ["good", "good"])


def test_the_legend_has_each_step() -> None:
    host = small_classifier()
    given = replace(readings(host, ["ba be"], ["bad"]), opened=[[3, 0]])
    page = Shown(rationales_page(host, given, ["bad"]))
    assert page.numbers == [(1, 1), (2, 2), (3, 3), (3, 3)]
    nothing = replace(given, opened=[[0, 0]], reads_fraction=[0.0])
    assert Shown(rationales_page(host, nothing, ["bad"])).numbers == []


def test_what_is_given_adds_no_element() -> None:
    def page(host: SequenceClassifierHost, names: list[str], text: str, gold: str) -> Shown:
        given = readings(host, [text], [names[1]], names)
        given = replace(given, opened=[[1] * len(ids) for ids in given.tokens])
        return Shown(rationales_page(host, given, [gold], native=given))

    hostile = page(byte_host(HOSTILE), ["a", HOSTILE], HOSTILE, f"{HOSTILE}\ud800\0")
    plain = page(BYTES, ["a", "b"], "a film", "c")
    assert hostile.names == plain.names
    assert f"gold {HOSTILE}\\ud800␀" in hostile.cards[0]
    assert f"predicted {HOSTILE}" in hostile.cards[0]


def test_any_page_can_be_saved_as_utf8_and_loads_nothing() -> None:
    labels = ["\ud800", "x\udfff"]
    given = readings(BYTES, TEXTS, ["\ud800"] * len(TEXTS), labels)
    page = rationales_page(byte_host("\udc80"), given, ["x\udfff"] * len(TEXTS), native=given)
    page.encode("utf-8")
    assert "://" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "script" not in Shown(page).names
    assert not {"src", "href", "srcset"} & {
        name for each in Shown(page).attributes for name in each
    }


def test_the_same_readings_make_the_same_page() -> None:
    given = readings(BYTES, TEXTS, ["good"] * len(TEXTS))
    gold = [LABELS[number % 3] for number in range(len(TEXTS))]
    assert rationales_page(BYTES, given, gold) == rationales_page(BYTES, given, gold)


def test_what_does_not_fit_is_refused() -> None:
    host = small_classifier()
    two, none = readings(host, ["ba", "be"], ["bad", "bad"]), readings(host, [], [])
    with pytest.raises(InputError, match="2 texts were read, and there are 1 gold labels"):
        rationales_page(host, two, ["bad"])
    with pytest.raises(InputError, match="2 texts were read, and there are 0 native labels"):
        rationales_page(host, two, ["bad", "bad"], native=none)
    with pytest.raises(InputError, match="nothing to show: 0 texts"):
        rationales_page(host, none, [])
    with pytest.raises(InputError, match="nothing to show: 2 texts, of which at most 0"):
        rationales_page(host, two, ["bad", "bad"], limit=0)
