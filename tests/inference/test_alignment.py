"""An alignment is of one piece, and knows its reads."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.errors import InputError
from rlattn.inference import Alignment

SOURCE, TARGET = ["▁a", "b", "</s>"], ["▁c", "</s>"]
EVEN = np.full((2, 3), 1 / 3)


def test_reads_are_open_over_all_positions() -> None:
    opened = np.array([[True, False, False], [True, True, True]])
    alignment = Alignment(SOURCE, TARGET, EVEN, opened)
    assert alignment.reads.tolist() == pytest.approx([1 / 3, 1])
    assert alignment.reads_fraction == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["attention", "opened"])
def test_what_does_not_go_together_is_refused(name: str) -> None:
    given = {"attention": EVEN, "opened": EVEN > 0}
    given[name] = given[name].T
    with pytest.raises(InputError, match=rf"{name} is \[3, 2\]: 2 target and 3 source tokens need"):
        Alignment(SOURCE, TARGET, **given)
