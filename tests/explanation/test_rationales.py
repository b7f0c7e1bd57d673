"""A rationale of a given size has the highest scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.errors import InputError
from rlattn.explanation import top
from rlattn.explanation.rationales import Scores


def scores(*rows: list[float]) -> list[Scores]:
    return [np.array(row, np.float32) for row in rows]


@given(st.lists(st.integers(-3, 3), max_size=9), st.data())
def test_it_has_the_size_asked_for_and_the_highest_scores_and_earlier_ones_first(
    row: list[int], data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(row)))
    (rationale,) = top(scores(list(map(float, row))), [size])
    best = sorted(range(len(row)), key=lambda place: (-row[place], place))[:size]
    assert rationale.nonzero()[0].tolist() == sorted(best)


def test_each_text_has_a_size_of_its_own() -> None:
    found = top(scores([1.0, 3.0, 2.0], [1.0, -1.0], []), [2, 1, 0])
    assert [row.tolist() for row in found] == [[False, True, True], [True, False], []]


@pytest.mark.parametrize(
    ("row", "sizes", "message"),
    [
        ([1.0, 2.0], [3], "text 0 is to have 3 of its 2 tokens: give a size from 0 to 2"),
        ([1.0, 2.0], [-1], "to have -1 of its 2 tokens"),
        ([1.0, 2.0], [1, 1], "1 texts have scores and 2 a size"),
        ([1.0, np.nan], [1], "scores of text 0 are not all numbers"),
    ],
)
def test_what_does_not_fit_is_refused(row: list[float], sizes: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        top(scores(row), sizes)
