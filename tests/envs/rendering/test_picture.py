"""Pictures of alignments: of one size, and they show what changed."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.envs.rendering.picture import picture
from rlattn.hosts import load_host
from rlattn.hosts.pieces import tokens
from rlattn.inference import Alignment
from tests.hosts.tiny import WORDS

# Any warning, such as one about a missing glyph, fails these tests.
pytestmark = pytest.mark.filterwarnings("error")

SIZE = (960, 960, 3)


def alignment(source: int, steps: int, share: float = 0.5, seed: int = 0) -> Alignment:
    rng = np.random.default_rng(seed)
    attention = rng.dirichlet(np.ones(source), size=steps).astype(np.float32)
    words = [WORDS[i % 50] for i in range(max(source, steps))]
    return Alignment(words[:source], words[:steps], attention, rng.random((steps, source)) < share)


@pytest.mark.parametrize(("source", "steps"), [(1, 0), (1, 1), (5, 9), (12, 3), (64, 64)])
def test_every_picture_has_one_size(source: int, steps: int) -> None:
    shown = picture(alignment(source, steps))
    assert shown.shape == SIZE
    assert shown.dtype == np.uint8
    assert shown.std() > 1, "something is drawn"
    assert (shown[:, :10] == 255).all(), "and nothing runs out of it"
    assert (shown[:, -10:] == 255).all()
    assert (shown[-10:] == 255).all()


def test_the_same_alignment_is_the_same_picture() -> None:
    first, second = (picture(alignment(6, 4)) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_step_leaves_the_rows_before_it_as_they_were() -> None:
    longer = alignment(8, 5)
    shorter = Alignment(longer.source, longer.target[:4], longer.attention[:4], longer.opened[:4])
    differs = (picture(longer) != picture(shorter)).any((1, 2))
    below_title = np.flatnonzero(differs[100:]) + 100
    # The frame around the last step moves from row 4 to row 5: rows 1 to 3 stay.
    cell = 50
    assert below_title.min() > 170 + 3 * cell - 5
    assert below_title.max() < 170 + 5 * cell + 5


def test_shut_positions_are_visible() -> None:
    opened, shut = (picture(alignment(6, 4, share)) for share in (1.0, 0.0))
    assert (opened != shut).any(-1).mean() > 0.05


def test_any_text_can_be_shown() -> None:
    host = load_host("embedded")
    ids = host.tokenize(["$5 ^x^ 今日は الاثنين"], 64).ids[0]
    shown = tokens(host, ids)
    even = np.full((len(ids), len(ids)), 1 / len(ids))
    assert picture(Alignment(shown, shown, even, even > 0)).shape == SIZE
