"""What the page of attention is made of; what it does is tested in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import numpy as np
import pytest

from rlattn.errors import InputError
from rlattn.plots import AttentionPage, attention_page
from tests.plots.alignments import alignment, words

SOURCE, TARGET = ["▁on", "ly", "</s>"], ["▁nur", "</s>"]
NATIVE, POLICY = alignment(SOURCE, TARGET, share=1.0), alignment(SOURCE, TARGET, seed=1)
HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>"


class Elements(HTMLParser):
    """The elements of a page, and the data in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loaded: list[str] = []
        self.data: list[Any] = []
        self._is_data = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.names.append(tag)
        self.loaded += [name for name in ("src", "href", "srcset", "data") if name in given]
        self._is_data = given.get("type") == "application/json"

    def handle_data(self, data: str) -> None:
        if self._is_data and data.strip():
            self.data.append(json.loads(data))


def test_the_data_are_the_alignments() -> None:
    (data,) = Elements(attention_page({"native": [NATIVE], "policy": [POLICY]})).data
    assert data["source"] == ["on", "·ly", "</s>"]
    for shown, name, expected in zip(
        data["readers"], ("native", "policy"), (NATIVE, POLICY), strict=True
    ):
        assert shown["name"] == name
        assert shown["target"] == ["nur", "</s>"]
        assert shown["reads"] == pytest.approx(expected.opened.mean(), abs=5e-4)
        shares = np.array(shown["attention"], dtype=float)  # None becomes NaN
        assert np.array_equal(np.isnan(shares), ~expected.opened)
        assert np.nan_to_num(shares) == pytest.approx(expected.attention, abs=5e-4)


def test_shares_have_three_digits() -> None:
    page = attention_page({"policy": [alignment(words(30), words(30))]})
    numbers = re.findall(r"\d\.\d+", page[page.index("application/json") :].split("\n")[0])
    assert len(numbers) > 100
    assert max(map(len, numbers)) == len("0.123")


def test_nothing_is_loaded() -> None:
    page = attention_page({"policy": [POLICY]})
    assert Elements(page).loaded == []
    assert "://" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_what_sentences_hold_adds_no_element() -> None:
    hostile = alignment([HOSTILE, "b"], [HOSTILE, "&lt;b>"])
    page = Elements(attention_page({HOSTILE: [hostile]}, title=HOSTILE))
    assert page.names == Elements(attention_page({"policy": [NATIVE]})).names
    (data,) = page.data
    assert data["source"] == [HOSTILE, "b"]
    assert data["readers"][0]["target"] == [HOSTILE, "&lt;b>"]
    assert data["readers"][0]["name"] == HOSTILE


def test_a_page_grows_with_each_sentence() -> None:
    file = StringIO()
    with AttentionPage(file, "Title") as page:
        lengths = [len(file.getvalue())]
        for number in range(3):
            page.add({"policy": POLICY}, None if number else "line 7")
            lengths.append(len(file.getvalue()))
    assert lengths == sorted(set(lengths))
    assert [data["name"] for data in Elements(file.getvalue()).data] == ["line 7", "2", "3"]
    assert file.getvalue().count("Title") == 2
    with AttentionPage(other := StringIO(), "Title") as page:
        page.add({"policy": POLICY}, "line 7")
        page.add({"policy": POLICY})
        page.add({"policy": POLICY})
    assert other.getvalue() == file.getvalue()


def test_all_sentences_are_read_by_the_same() -> None:
    with AttentionPage(StringIO()) as page:
        page.add({"native": NATIVE, "policy": POLICY})
        with pytest.raises(InputError, match="sentence 2 was read by policy: expected native, pol"):
            page.add({"policy": POLICY})
        with pytest.raises(InputError, match="not of the same source in native and policy"):
            page.add({"native": NATIVE, "policy": alignment(["▁a"], TARGET)})


@pytest.mark.parametrize("given", [{}, {"policy": []}])
def test_nothing_is_refused(given: dict[str, list]) -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        attention_page(given)
