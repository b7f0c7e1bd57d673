"""One of the valid positions."""

from __future__ import annotations

import torch
from torch.distributions import Categorical

from rlattn.actions.distributions import MaskedCategorical

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
SCORES = torch.randn(2, 4)


def test_density_and_entropy_are_those_of_a_categorical() -> None:
    ours = MaskedCategorical(SCORES, MASK)
    for lane, length in enumerate((4, 2)):
        theirs = Categorical(logits=SCORES[lane, :length])
        for index in range(length):
            action = torch.full((2, 1), float(index))
            found = ours.log_prob(action)[lane]
            assert torch.allclose(found, theirs.log_prob(torch.tensor(index)), atol=1e-6)
        assert torch.allclose(ours.entropy()[lane], theirs.entropy(), atol=1e-6)
        assert ours.mode()[lane, 0] == SCORES[lane, :length].argmax()


def test_samples_are_as_frequent_as_they_are_probable() -> None:
    count = 20_000
    many = MaskedCategorical(SCORES[1:].expand(count, -1), MASK[1:].expand(count, -1))
    drawn = many.sample()[:, 0].long()
    expected = SCORES[1, :2].softmax(-1)
    seen = torch.bincount(drawn, minlength=4) / count
    assert not seen[2:].any()
    assert torch.allclose(seen[:2], expected, atol=5 * (0.25 / count) ** 0.5)
